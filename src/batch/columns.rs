//! Every tensor of a batch, with what it is to the loss.

use burn::prelude::*;

/// What embeddings are to the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The rows that are compared with others: queries, anchors, the left side of a pair.
    Anchor,
    /// Rows that belong to an anchor.
    Positive,
    /// Rows that do not.
    Negative,
    /// Embeddings that are none of these, or several of them at once.
    Other,
    /// A teacher's embeddings: constants that the loss pulls others towards.
    Target,
    /// Embeddings of another model, which has dimensions of its own: constants by which the loss chooses rows.
    Guide,
}

impl Role {
    /// Whether they are given and get no gradient.
    pub fn is_constant(self) -> bool {
        matches!(self, Self::Target | Self::Guide)
    }
}

/// Changes the tensors of a batch: see [`Columns::map_columns`].
///
/// Only embeddings have to be handled; everything else stays as it is by default.
pub trait ColumnMapper {
    /// The new embeddings for `column`, `[n, dim]` or, for token embeddings, `[n, tokens, dim]`.
    fn map<const D: usize>(&mut self, role: Role, name: &str, column: Tensor<D>) -> Tensor<D>;

    /// The new labels, scores or weights: constants with a row for each row of the batch.
    fn map_numbers<const D: usize>(&mut self, name: &str, numbers: Tensor<D>) -> Tensor<D> {
        let _ = name;
        numbers
    }

    /// The new labels, ids or tokens, with a row for each row of the batch.
    fn map_integers<const D: usize>(
        &mut self,
        name: &str,
        integers: Tensor<D, Int>,
    ) -> Tensor<D, Int> {
        let _ = name;
        integers
    }

    /// The new mask, with a row for each row of the batch.
    fn map_flags<const D: usize>(&mut self, name: &str, flags: Tensor<D, Bool>) -> Tensor<D, Bool> {
        let _ = name;
        flags
    }
}

/// Looks at the tensors of a batch: see [`Columns::visit_columns`].
///
/// Only embeddings have to be handled; everything else is passed over by default.
pub trait ColumnVisitor {
    /// Embeddings, `[n, dim]` or, for token embeddings, `[n, tokens, dim]`.
    fn visit<const D: usize>(&mut self, role: Role, name: &str, column: &Tensor<D>);

    /// Labels, scores or weights: constants with a row for each row of the batch.
    fn visit_numbers<const D: usize>(&mut self, name: &str, numbers: &Tensor<D>) {
        let _ = (name, numbers);
    }

    /// Labels, ids or tokens, with a row for each row of the batch.
    fn visit_integers<const D: usize>(&mut self, name: &str, integers: &Tensor<D, Int>) {
        let _ = (name, integers);
    }

    /// A mask, with a row for each row of the batch.
    fn visit_flags<const D: usize>(&mut self, name: &str, flags: &Tensor<D, Bool>) {
        let _ = (name, flags);
    }
}

/// A batch whose tensors can be visited and changed, whatever the batch is: what moves a batch to
/// another device, detaches it, puts batches below each other or truncates embeddings is written
/// once, against this trait.
///
/// Every batch of this crate has it, and so have tensors, and tuples, arrays and vectors of them.
/// There, a float tensor of rank 1 counts as labels and one of higher rank as embeddings with
/// [`Role::Other`].
///
/// # Example
///
/// A batch of your own says which tensors it holds, in a fixed order. Truncated to one dimension,
/// the teacher's embeddings are left alone:
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::{ColumnMapper, Columns, Role};
///
/// #[derive(Clone)]
/// struct Weighted {
///     embeddings: Tensor<2>,
///     teacher: Tensor<2>,
///     weights: Tensor<1>,
/// }
///
/// impl Columns for Weighted {
///     fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
///         Self {
///             embeddings: mapper.map(Role::Other, "embeddings", self.embeddings),
///             teacher: mapper.map(Role::Target, "teacher", self.teacher),
///             weights: mapper.map_numbers("weights", self.weights),
///         }
///     }
/// }
///
/// struct Truncate(usize);
///
/// impl ColumnMapper for Truncate {
///     fn map<const D: usize>(&mut self, role: Role, _: &str, column: Tensor<D>) -> Tensor<D> {
///         match role {
///             Role::Target => column,
///             _ => column.narrow(D - 1, 0, self.0),
///         }
///     }
/// }
///
/// let device = Device::flex();
/// let rows = Tensor::<2>::ones([3, 2], &device);
/// let weights = Tensor::<1>::ones([3], &device);
/// let batch = Weighted { embeddings: rows.clone(), teacher: rows, weights };
/// let short = batch.map_columns(&mut Truncate(1));
/// assert_eq!((short.embeddings.dims(), short.teacher.dims()), ([3, 1], [3, 2]));
/// ```
pub trait Columns: Clone {
    /// The same batch with every tensor replaced by what `mapper` makes of it.
    ///
    /// The tensors come in the same order every time.
    ///
    /// # Panics
    ///
    /// The batches of this crate panic if the new tensors do not fit together.
    #[must_use]
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self;

    /// Shows every tensor to `visitor`, in the order of [`map_columns`](Self::map_columns).
    fn visit_columns<V: ColumnVisitor>(&self, visitor: &mut V) {
        // Clones share their data.
        let _ = self.clone().map_columns(&mut Shown(visitor));
    }

    /// The same numbers as constants, without the graph that computed them.
    #[must_use]
    fn without_graph(self) -> Self {
        self.map_columns(&mut WithoutGraph)
    }

    /// The same batch with all its tensors on `device`.
    #[must_use]
    fn to_device(self, device: &Device) -> Self {
        self.map_columns(&mut ToDevice(device))
    }
}

/// A batch that knows what each of its tensors is to the loss, so that a loss around another may take it apart.
///
/// Every batch of this crate has it; give it to your own batches as well. Tensors and tuples do not: there, a
/// teacher's embeddings have the role of any others.
pub trait Batch: Columns {}

/// The embeddings of a batch that are trained, `[n, dim]` each, in the order of its columns.
pub(crate) fn trained<B: Batch>(batch: &B) -> Vec<Tensor<2>> {
    let mut trained = Trained(Vec::new());
    batch.visit_columns(&mut trained);
    trained.0
}

struct Trained(Vec<Tensor<2>>);

impl ColumnVisitor for Trained {
    fn visit<const D: usize>(&mut self, role: Role, _: &str, column: &Tensor<D>) {
        if !role.is_constant() {
            self.0.push(column.clone().flatten(0, D - 2));
        }
    }
}

/// A visitor as a mapper that changes nothing.
struct Shown<'a, V>(&'a mut V);

impl<V: ColumnVisitor> ColumnMapper for Shown<'_, V> {
    fn map<const D: usize>(&mut self, role: Role, name: &str, column: Tensor<D>) -> Tensor<D> {
        self.0.visit(role, name, &column);
        column
    }

    fn map_numbers<const D: usize>(&mut self, name: &str, numbers: Tensor<D>) -> Tensor<D> {
        self.0.visit_numbers(name, &numbers);
        numbers
    }

    fn map_integers<const D: usize>(
        &mut self,
        name: &str,
        integers: Tensor<D, Int>,
    ) -> Tensor<D, Int> {
        self.0.visit_integers(name, &integers);
        integers
    }

    fn map_flags<const D: usize>(&mut self, name: &str, flags: Tensor<D, Bool>) -> Tensor<D, Bool> {
        self.0.visit_flags(name, &flags);
        flags
    }
}

/// Implements a mapper that treats all tensors alike.
macro_rules! map_all_alike {
    ($mapper:ty, |$self:ident, $tensor:ident| $mapped:expr) => {
        impl ColumnMapper for $mapper {
            fn map<const D: usize>(&mut $self, _: Role, _: &str, $tensor: Tensor<D>) -> Tensor<D> {
                $mapped
            }

            fn map_numbers<const D: usize>(&mut $self, _: &str, $tensor: Tensor<D>) -> Tensor<D> {
                $mapped
            }

            fn map_integers<const D: usize>(
                &mut $self,
                _: &str,
                $tensor: Tensor<D, Int>,
            ) -> Tensor<D, Int> {
                $mapped
            }

            fn map_flags<const D: usize>(
                &mut $self,
                _: &str,
                $tensor: Tensor<D, Bool>,
            ) -> Tensor<D, Bool> {
                $mapped
            }
        }
    };
}
pub(crate) use map_all_alike;

struct WithoutGraph;
map_all_alike!(WithoutGraph, |self, tensor| tensor.inner());

struct ToDevice<'a>(&'a Device);

impl ColumnMapper for ToDevice<'_> {
    fn map<const D: usize>(&mut self, _: Role, _: &str, column: Tensor<D>) -> Tensor<D> {
        column.to_device(self.0)
    }

    fn map_numbers<const D: usize>(&mut self, _: &str, numbers: Tensor<D>) -> Tensor<D> {
        numbers.to_device(self.0)
    }

    fn map_integers<const D: usize>(
        &mut self,
        _: &str,
        integers: Tensor<D, Int>,
    ) -> Tensor<D, Int> {
        integers.to_device(self.0)
    }

    fn map_flags<const D: usize>(&mut self, _: &str, flags: Tensor<D, Bool>) -> Tensor<D, Bool> {
        flags_on(self.0, flags)
    }
}

/// A mask on another device, moved as integers: Burn 0.22.1 cannot take the mask of a CPU backend over to
/// wgpu, which stores masks as integers.
pub(crate) fn flags_on<const D: usize>(device: &Device, flags: Tensor<D, Bool>) -> Tensor<D, Bool> {
    match flags.device() == *device {
        true => flags,
        false => flags.int().to_device(device).bool(),
    }
}

impl<const D: usize> Columns for Tensor<D> {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        match D {
            1 => mapper.map_numbers("labels", self),
            _ => mapper.map(Role::Other, "embeddings", self),
        }
    }
}

impl<const D: usize> Columns for Tensor<D, Int> {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        mapper.map_integers("labels", self)
    }
}

impl<const D: usize> Columns for Tensor<D, Bool> {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        mapper.map_flags("mask", self)
    }
}

impl<C: Columns> Columns for Vec<C> {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        self.into_iter().map(|part| part.map_columns(mapper)).collect()
    }
}

impl<C: Columns, const N: usize> Columns for [C; N] {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        self.map(|part| part.map_columns(mapper))
    }
}

/// Implements [`Columns`] for tuples of several lengths.
macro_rules! columns_of_tuples {
    ($($(($name:ident: $part:ident))+;)+) => {$(
        impl<$($part: Columns),+> Columns for ($($part,)+) {
            fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
                let ($($name,)+) = self;
                ($($name.map_columns(mapper),)+)
            }
        }
    )+};
}

columns_of_tuples! {
    (a: A) (b: B);
    (a: A) (b: B) (c: C);
    (a: A) (b: B) (c: C) (d: E);
}
