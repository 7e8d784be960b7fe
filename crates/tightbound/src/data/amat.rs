//! Read `.amat` files: one image per line, grey values in text, separated by blanks.

use std::io::{BufRead, BufReader, Read};

use super::bytes::{self, MOST_BYTES};
use super::error::Malformed;
use super::grey::{Grey, image_shape};
use super::images::Images;

/// The longest line that is read: 16 MiB.
const LONGEST_LINE: u64 = 1 << 24;

/// Parses an amat file, as it is or compressed with gzip. Empty lines are passed over.
pub(super) fn parse(file: &[u8]) -> Result<Images, Malformed> {
    parse_within(file, MOST_BYTES)
}

/// As [`parse`], with the number of bytes that a file must stay below.
fn parse_within(file: &[u8], most_bytes: u64) -> Result<Images, Malformed> {
    let mut reader = BufReader::new(bytes::uncompressed(file));
    let mut grey = Grey::new();
    let (mut images, mut width, mut bytes_read) = (0, 0, 0);
    let mut line = Vec::new();
    for number in 1usize.. {
        line.clear();
        let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        let n = read.map_err(|e| at(number, format!("cannot read on: {e}")))? as u64;
        bytes_read += n;
        if n == LONGEST_LINE || bytes_read >= most_bytes {
            return Err(at(number, "the line or the file is too long"));
        }
        if n == 0 {
            break;
        }
        let columns = parse_line(&line, number, &mut grey)?;
        if columns == 0 {
            continue;
        }
        if images > 0 && columns != width {
            let problem = format!("{columns} values, but {width} in the lines before");
            return Err(at(number, problem));
        }
        (images, width) = (images + 1, columns);
    }
    let (_, height, width) = image_shape(&[images, width])
        .map_err(|_| Malformed::new("the file", "there are no values in it"))?;
    Ok(Images::new(height, width, grey.finish(), None))
}

/// Appends the values of one line, and counts them.
fn parse_line(line: &[u8], number: usize, grey: &mut Grey) -> Result<usize, Malformed> {
    let mut columns = 0;
    for token in line.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()) {
        columns += 1;
        let value = match token {
            b"0" => 0.0,
            b"1" => 1.0,
            _ => std::str::from_utf8(token).ok().and_then(|t| t.parse().ok()).ok_or_else(|| {
                let token = String::from_utf8_lossy(&token[..token.len().min(20)]);
                Malformed::new(
                    format!("line {number}, column {columns}"),
                    format!("`{}` is not a number", token.escape_debug()),
                )
            })?,
        };
        grey.push(value)
            .map_err(|e| Malformed::new(format!("line {number}, column {columns}"), e))?;
    }
    Ok(columns)
}

/// `problem` in a line.
fn at(number: usize, problem: impl Into<String>) -> Malformed {
    Malformed::new(format!("line {number}"), problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;

    #[test]
    fn text_becomes_images() {
        let images = parse(b"0 1 0 1\n\n1.0 0 0.2 0e0\r\n").unwrap();
        assert_eq!((images.len(), images.height, images.width), (2, 2, 2));
        assert_eq!(images.pixels, Pixels::Bytes(vec![0, 255, 0, 255, 255, 0, 51, 0]));
    }

    #[test]
    fn errors_name_line_and_column() {
        for (text, place, problem) in [
            ("0 1\n0 x\n", "line 2, column 2", "`x` is not a number"),
            ("0 1\n0 nan\n", "line 2, column 2", "NaN"),
            ("0 1\n7 0\n", "line 2, column 1", "[0, 1]"),
            ("0 1\n0 1 1\n", "line 2", "3 values, but 2"),
            ("\n \n", "the file", "no values"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.place, place, "{text:?}");
            assert!(error.problem.contains(problem), "{text:?}: {}", error.problem);
        }
    }

    #[test]
    fn the_file_and_each_line_have_a_longest_length() {
        assert_eq!(parse_within(b"0 1\n1 1\n", 9).unwrap().len(), 2);
        let error = parse_within(b"0 1\n1 1\n", 8).unwrap_err();
        assert_eq!((error.place.as_str(), error.problem.contains("too long")), ("line 2", true));

        let mut text = b"0 1\n0 1".to_vec();
        text.resize(4 + LONGEST_LINE as usize - 2, b' ');
        text.push(b'\n');
        assert_eq!(parse(&text).unwrap().len(), 2);
        text.insert(4, b' ');
        let error = parse(&text).unwrap_err();
        assert_eq!((error.place.as_str(), error.problem.contains("too long")), ("line 2", true));
    }
}
