//! The structures of Parquet's headers, as `parquet.thrift` of the Apache project numbers their fields.

use super::thrift::Kind::{self, Binary, Bool, Byte, Double, Int, List, Long, Short, Struct};

/// A structure without fields, or one that is passed over.
const EMPTY: Kind = Struct(&[]);

pub const FILE_META_DATA: [Kind; 9] = [
    Int,
    List(&Struct(&SCHEMA_ELEMENT)),
    Long,
    List(&ROW_GROUP),
    List(&KEY_VALUE),
    Binary,
    List(&COLUMN_ORDER),
    EMPTY,
    Binary,
];

pub const SCHEMA_ELEMENT: [Kind; 10] =
    [Int, Int, Int, Binary, Int, Int, Int, Int, Int, LOGICAL_TYPE];

pub const PAGE_HEADER: [Kind; 8] = [
    Int,
    Int,
    Int,
    Int,
    Struct(&DATA_PAGE_HEADER),
    EMPTY,
    Struct(&DICTIONARY_PAGE_HEADER),
    Struct(&DATA_PAGE_HEADER_V2),
];

pub const DATA_PAGE_HEADER: [Kind; 5] = [Int, Int, Int, Int, STATISTICS];
pub const DICTIONARY_PAGE_HEADER: [Kind; 3] = [Int, Int, Bool];
pub const DATA_PAGE_HEADER_V2: [Kind; 8] = [Int, Int, Int, Int, Int, Int, Bool, STATISTICS];

const ROW_GROUP: Kind =
    Struct(&[List(&COLUMN_CHUNK), Long, Long, List(&SORTING_COLUMN), Long, Long, Short]);

const COLUMN_CHUNK: Kind =
    Struct(&[Binary, Long, COLUMN_META_DATA, Long, Int, Long, Int, EMPTY, Binary]);

const COLUMN_META_DATA: Kind = Struct(&[
    Int,
    List(&Int),
    List(&Binary),
    Int,
    Long,
    Long,
    Long,
    List(&KEY_VALUE),
    Long,
    Long,
    Long,
    STATISTICS,
    List(&PAGE_ENCODING_STATS),
    Long,
    Int,
    SIZE_STATISTICS,
    GEOSPATIAL_STATISTICS,
]);

const STATISTICS: Kind = Struct(&[Binary, Binary, Long, Long, Binary, Binary, Bool, Bool, Long]);
const SIZE_STATISTICS: Kind = Struct(&[Long, List(&Long), List(&Long)]);
const GEOSPATIAL_STATISTICS: Kind = Struct(&[Struct(&[Double; 8]), List(&Int)]);
const PAGE_ENCODING_STATS: Kind = Struct(&[Int, Int, Int]);
const KEY_VALUE: Kind = Struct(&[Binary, Binary]);
const SORTING_COLUMN: Kind = Struct(&[Int, Bool, Bool]);
const COLUMN_ORDER: Kind = Struct(&[EMPTY; 3]);

/// Texts, numbers, times and so on.
const LOGICAL_TYPE: Kind = Struct(&[
    EMPTY,
    EMPTY,
    EMPTY,
    EMPTY,
    Struct(&[Int, Int]),
    EMPTY,
    TIME,
    TIME,
    EMPTY,
    Struct(&[Byte, Bool]),
    EMPTY,
    EMPTY,
    EMPTY,
    EMPTY,
    EMPTY,
    Struct(&[Byte]),
    Struct(&[Binary]),
    Struct(&[Binary, Int]),
    EMPTY,
]);

/// Whether it is in universal time, and its unit.
const TIME: Kind = Struct(&[Bool, Struct(&[EMPTY; 3])]);
