//! The file format of NumPy arrays, version 1.0.

use std::io::{self, Write};

/// The header ends on a multiple of this.
const ALIGNMENT: usize = 64;

/// Writes what comes before the rows of a matrix of `f32`.
pub fn write_header(out: &mut dyn Write, [rows, columns]: [usize; 2]) -> io::Result<()> {
    let shape = format!("({rows}, {columns})");
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version and the header's length take ten bytes, the line feed one.
    let length = (10 + header.len() + 1).next_multiple_of(ALIGNMENT) - 10;
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&(length as u16).to_le_bytes())?;
    writeln!(out, "{header:width$}", width = length - 1)
}

/// Writes rows.
pub fn write_rows(out: &mut dyn Write, values: &[f32]) -> io::Result<()> {
    values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_shape_and_ends_on_a_boundary() {
        let mut bytes = Vec::new();
        write_header(&mut bytes, [2, 3]).unwrap();
        write_rows(&mut bytes, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let data = bytes.len() - 24;
        assert!(data.is_multiple_of(ALIGNMENT) && bytes[data - 1] == b'\n');
        assert_eq!(usize::from(u16::from_le_bytes([bytes[8], bytes[9]])), data - 10);
        let header = String::from_utf8_lossy(&bytes[10..data]).into_owned();
        assert!(header.contains("'shape': (2, 3), }"), "{header}");
        assert_eq!(bytes[data..data + 4], 1.0_f32.to_le_bytes());
    }
}
