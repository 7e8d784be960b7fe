//! Check the readers on the real files, where they are at hand.

use std::path::PathBuf;

use super::{Dataset, Finder, Images, load};

/// Loads a data set from `$TIGHTBOUND_DATA` or the folder `shared/data` beside the repository;
/// otherwise says that the test is skipped.
fn real(name: &str, file: &str) -> Option<Dataset> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("TIGHTBOUND_DATA").map_or(beside, PathBuf::from);
    if !folder.join(file).exists() {
        println!("skipped: {file} is not in {}", folder.display());
        return None;
    }
    Some(load(name, &Finder::only(vec![folder], None), &()).unwrap())
}

/// Mean and standard deviation of all grey values.
fn moments(images: &Images) -> (f64, f64) {
    let mut image = vec![0.0; images.pixel_count()];
    let (mut sum, mut squares) = (0.0, 0.0);
    for i in 0..images.len() {
        images.probabilities(i, &mut image);
        for &value in &image {
            sum += f64::from(value);
            squares += f64::from(value).powi(2);
        }
    }
    let n = (images.len() * images.pixel_count()) as f64;
    (sum / n, (squares / n - (sum / n).powi(2)).sqrt())
}

fn label_counts(images: &Images, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    images.labels.as_ref().unwrap().iter().for_each(|&label| counts[usize::from(label)] += 1);
    counts
}

/// Published numbers have seven digits; f32 grey values are exact to 6e-8.
const TOLERANCE: f64 = 2e-7;

#[test]
fn mnist_has_its_known_statistics() {
    let Some(data) = real("mnist", "mnist/train-images-idx3-ubyte.gz") else { return };
    assert_eq!((&*data.name, data.fixed, data.sources.len()), ("mnist", false, 4));
    let (mean, sd) = moments(&data.train);
    assert!((mean - 0.130_660_5).abs() < TOLERANCE && (sd - 0.308_107_8).abs() < TOLERANCE);
    let (mean, sd) = moments(&data.test);
    assert!((mean - 0.132_514_6).abs() < TOLERANCE && (sd - 0.310_480_2).abs() < TOLERANCE);
    let train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    let test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    assert_eq!(label_counts(&data.train, 10), train);
    assert_eq!(label_counts(&data.test, 10), test);
}

#[test]
fn binarized_mnist_has_its_known_means() {
    let Some(data) = real("binarized-mnist", "binarized_mnist/binarized_mnist_train.amat.gz")
    else {
        return;
    };
    assert!(data.fixed);
    let validation = data.validation.as_ref().unwrap();
    for (part, n, expected) in [
        (&data.train, 50_000, 0.130_562),
        (validation, 10_000, 0.131_127),
        (&data.test, 10_000, 0.132_512),
    ] {
        assert_eq!((part.len(), part.height, part.width), (n, 28, 28));
        // Six digits were published.
        assert!((moments(part).0 - expected).abs() < 6e-7, "{n}: {}", moments(part).0);
    }
}

/// The first test image, Angelic character 1 of drawer 15, upright: `#` is ink above one half.
const FIRST_GLYPH: &str = "\
............................\n\
.....##.....................\n\
......#..................#..\n\
...##.##................##..\n\
....#####...............##..\n\
........#..............####.\n\
........##............##....\n\
.........##.#........##.....\n\
..........###.......##......\n\
..........###......##.......\n\
.........##.##...###........\n\
........##...##.##..........\n\
......###.....#.#...........\n\
..#####.......##............\n\
..###..........##...........\n\
.#####..........#...........\n\
######..........##..........\n\
...##............##.###.....\n\
..................###.##....\n\
...................#####....\n\
...................####.....\n\
....................##......\n\
............................\n\
............................\n\
............................\n\
............................\n\
............................\n\
............................\n";

#[test]
fn derived_omniglot_stands_upright() {
    let Some(data) = real("omniglot", "omniglot/chardata-derived.mat") else { return };
    assert_eq!((&*data.name, data.fixed), ("omniglot (derived)", false));
    assert_eq!((data.train.len(), data.test.len()), (24_345, 8_070));
    assert_eq!((data.train.height, data.train.width), (28, 28));
    assert!(matches!(data.train.pixels, super::Pixels::Bytes(_)));
    assert!((moments(&data.train).0 - 0.083_009_2).abs() < TOLERANCE);
    assert!((moments(&data.test).0 - 0.081_818_6).abs() < TOLERANCE);
    // 50 alphabets, Angelic first with 20 characters by 15 and 5 drawers.
    assert_eq!(label_counts(&data.train, 50)[0], 300);
    assert_eq!(label_counts(&data.test, 50)[0], 100);

    let mut image = [0.0; 784];
    data.test.probabilities(0, &mut image);
    let rows = image.chunks(28).map(|row| {
        let row: String = row.iter().map(|&p| if p > 0.5 { '#' } else { '.' }).collect();
        row + "\n"
    });
    assert_eq!(rows.collect::<String>(), FIRST_GLYPH);
}
