//! Make images of the variables in a MATLAB file laid out as Burda et al.'s `chardata.mat`.
//!
//! `data` and `testdata` are D × N, one image per column, and each image is column-major: row
//! 28·x + y holds the pixel in row y, column x. `target` and `testtarget` are C × N, one-hot.

use super::error::Malformed;
use super::grey::{Grey, image_shape, label};
use super::images::Images;
use super::mat::{self, MatArray};

/// The parts of such a file; `testdata` may be absent.
pub(super) fn parse(file: &[u8]) -> Result<(Images, Option<Images>), Malformed> {
    let arrays = mat::parse(file)?;
    let Some(train) = part(&arrays, "data", "target")? else {
        let names: Vec<&str> = arrays.iter().map(|a| &*a.name).collect();
        let problem = format!("there is no variable `data` (D × N); there are {names:?}");
        return Err(Malformed::new("the file", problem));
    };
    Ok((train, part(&arrays, "testdata", "testtarget")?))
}

/// One part, if it is there, with its labels, if they are.
fn part(arrays: &[MatArray], data: &str, target: &str) -> Result<Option<Images>, Malformed> {
    let find = |name: &str| arrays.iter().find(|array| array.name == name);
    let Some(array) = find(data) else { return Ok(None) };
    let images = images(array)?;
    let Some(target) = find(target) else { return Ok(Some(images)) };
    let in_target = |e| Malformed::new(format!("variable `{}`", target.name), e);
    one_hot(target).and_then(|labels| label(images, labels)).map(Some).map_err(in_target)
}

/// Reads D × N grey values as N images, transposing each where D is a square.
fn images(array: &MatArray) -> Result<Images, Malformed> {
    let place = || format!("variable `{}`", array.name);
    let dims: Vec<usize> = array.dims.iter().rev().copied().collect();
    let shape = match dims[..] {
        [_, _] => image_shape(&dims),
        _ => Err(format!("dimensions {:?}; it must be D × N", array.dims)),
    };
    let (_, height, width) = shape.map_err(|e| Malformed::new(place(), e))?;
    let d = height * width;
    let mut grey = Grey::new();
    let mut values = array.values();
    let mut image = vec![0.0; d];
    for n in 0..dims[0] {
        image.iter_mut().zip(&mut values).for_each(|(slot, value)| *slot = value);
        for (row, column) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let i = height * column + row;
            let at = |e| Malformed::new(format!("{}, column {n}, row {i}", place()), e);
            grey.push(image[i]).map_err(at)?;
        }
    }
    Ok(Images::new(height, width, grey.finish(), None))
}

/// Reads C × N one-hot columns as N labels.
fn one_hot(array: &MatArray) -> Result<Vec<u16>, String> {
    let [classes, n] = array.dims[..] else {
        return Err(format!("dimensions {:?}; it must be C × N, one-hot", array.dims));
    };
    let mut values = array.values();
    let mut labels = Vec::new();
    for column in 0..n {
        let mut ones = (0..classes).filter(|_| values.next().is_some_and(|v| v != 0.0));
        let first = ones.next().and_then(|class| u16::try_from(class).ok());
        let second = ones.next();
        // The filter is lazy: the rest of the column must be passed over.
        ones.for_each(drop);
        match (first, second) {
            (Some(class), None) => labels.push(class),
            _ => return Err(format!("column {column} is not one-hot")),
        }
    }
    Ok(labels)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::Pixels;
    use crate::data::mat::tests::{array, compressed, header};

    /// Two training images of 2×2 pixels and one test image, with labels.
    pub fn small() -> Vec<u8> {
        let file = [
            header(),
            compressed(&array("data", [4, 2], 2, &[0, 0, 1, 0, 1, 0, 0, 1])),
            array("testdata", [4, 1], 2, &[0, 1, 0, 0]),
            array("target", [3, 2], 2, &[0, 0, 1, 1, 0, 0]),
            array("testtarget", [3, 1], 2, &[0, 1, 0]),
        ];
        file.concat()
    }

    #[test]
    fn images_are_transposed_and_labelled() {
        let (train, test) = parse(&small()).unwrap();
        assert_eq!((train.len(), train.height, train.width), (2, 2, 2));
        // Row 2 of the first column is the pixel at x = 1, y = 0.
        assert_eq!(train.pixels, Pixels::Bytes(vec![0, 255, 0, 0, 255, 0, 0, 255]));
        assert_eq!(train.labels, Some(vec![2, 0]));
        let test = test.unwrap();
        assert_eq!(test.pixels, Pixels::Bytes(vec![0, 0, 255, 0]));
        assert_eq!(test.labels, Some(vec![1]));
    }

    #[test]
    fn an_image_has_as_many_values_as_its_square() {
        let file = [header(), array("data", [9, 1], 2, &[0, 0, 0, 1, 0, 0, 0, 1, 1])].concat();
        let (images, _) = parse(&file).unwrap();
        let row_by_row = vec![0, 255, 0, 0, 0, 255, 0, 0, 255];
        assert_eq!((images.len(), images.pixels), (1, Pixels::Bytes(row_by_row)));
    }

    #[test]
    fn errors_name_the_variable() {
        let parse = |variables: &[Vec<u8>]| parse(&[header(), variables.concat()].concat());
        let data = array("data", [4, 1], 2, &[0, 0, 1, 0]);
        for (variables, place, problem) in [
            (vec![array("x", [1, 1], 2, &[0])], "the file", "no variable `data`"),
            (
                vec![array("data", [4, 1], 2, &[0, 0, 1, 9])],
                "variable `data`, column 0, row 3",
                "9",
            ),
            (
                vec![data.clone(), array("target", [2, 1], 2, &[1, 1])],
                "variable `target`",
                "one-hot",
            ),
            (vec![data, array("target", [1, 2], 2, &[1, 1])], "variable `target`", "2 labels"),
        ] {
            let error = parse(&variables).unwrap_err();
            assert_eq!(error.place, place, "{}", error.problem);
            assert!(error.problem.contains(problem), "{}", error.problem);
        }
    }
}
