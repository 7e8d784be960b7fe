//! Draw one figure of every kind with made-up numbers, into the folder that is named.

use std::error::Error;
use std::f64::consts::TAU;
use std::path::Path;

use tightbound_report::{
    Axis, BoxChart, Cloud, Histogram, ImageRow, ImageRows, LineChart, Mark, Panel, Point, Samples,
    Scale, Scatter, Series, Spread, estimator_style, estimator_styles, rolling_mean,
};

const ESTIMATORS: [&str; 10] = [
    "vae",
    "iwae",
    "miwae(4,16)",
    "miwae(8,8)",
    "piwae(8,8)",
    "ciwae β=0.5",
    "ciwae β learned",
    "vr-iwae",
    "jvi",
    "tvo",
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder for the figures")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let write = |name: &str, svg: String, png: Vec<u8>| {
        std::fs::write(folder.join(format!("{name}.svg")), svg)?;
        std::fs::write(folder.join(format!("{name}.png")), png)
    };
    let curves = curves();
    write("curves", curves.to_svg(), curves.to_png()?)?;
    let estimators = estimators();
    write("estimators", estimators.to_svg(), estimators.to_png()?)?;
    let scatter = scatter();
    write("scatter", scatter.to_svg(), scatter.to_png()?)?;
    let boxes = boxes();
    write("boxes", boxes.to_svg(), boxes.to_png()?)?;
    let histogram = histogram();
    let marks = [Mark { name: "k̂ = 0.7".into(), value: 0.7 }];
    let histogram = histogram.with_marks(&marks);
    write("histogram", histogram.to_svg(), histogram.to_png()?)?;
    let images = images();
    write("images", images.to_svg(), images.to_png()?)?;
    Ok(())
}

/// Numbers in [0, 1) without order, the same at every call.
fn noise(seed: u64) -> impl Iterator<Item = f64> {
    (1..).map(move |n: u64| {
        let mixed =
            n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1u64 << 53) as f64
    })
}

/// Pairs of normal values.
fn normals(seed: u64) -> impl Iterator<Item = (f64, f64)> {
    noise(seed).zip(noise(seed + 1000)).map(|(u, v)| {
        let radius = (-2.0 * (1.0 - u).ln()).sqrt();
        (radius * (TAU * v).cos(), radius * (TAU * v).sin())
    })
}

fn linear(label: &str) -> Axis {
    Axis { label: label.into(), scale: Scale::Linear }
}

/// Hundreds of epochs, smoothed, as lines without markers.
fn curves() -> LineChart {
    let series = (0..).zip(["vae", "iwae", "miwae(8,8)"]).map(|(seed, name)| {
        let epochs = (1..).map(f64::from).zip(normals(seed)).take(600);
        let raw =
            epochs.map(|(epoch, (noise, _))| (epoch, -86.0 - 120.0 / (epoch + 20.0) + 0.3 * noise));
        let raw: Vec<_> = raw.map(|(x, y)| (x, y + seed as f64)).collect();
        let point = |(x, y)| Point { x, y, low: Some(y - 0.2), high: Some(y + 0.2) };
        let points = rolling_mean(&raw, 21).into_iter().map(point).collect();
        Series { name: name.into(), points, spread: Spread::Band, style: estimator_style(name) }
    });
    LineChart {
        title: "Training, the mean of 21 epochs".into(),
        x: linear("epoch"),
        y: linear("bound in nats"),
        series: series.collect(),
        footnote: Some("Made-up numbers.".into()),
        ..LineChart::default()
    }
}

/// The looks of all estimators.
fn estimators() -> LineChart {
    let styles = estimator_styles(ESTIMATORS);
    let series = ESTIMATORS.iter().zip(styles).enumerate().map(|(number, (name, style))| {
        let point = |k: i32| {
            let y = f64::from(k).powf(0.5 - 0.1 * number as f64);
            Point { x: f64::from(k), y, low: Some(0.9 * y), high: Some(1.1 * y) }
        };
        let points = [1, 3, 10, 30, 100].map(point).into();
        Series { name: (*name).into(), points, style: Some(style), ..Series::default() }
    });
    LineChart {
        title: "The looks of the estimators".into(),
        x: Axis { label: "K".into(), scale: Scale::Log },
        y: Axis { label: "SNR".into(), scale: Scale::Log },
        series: series.collect(),
        ..LineChart::default()
    }
}

/// Ten classes of a thousand points.
fn scatter() -> Scatter {
    let cloud = |class: u64| {
        let (x, y) = (TAU * class as f64 / 10.0).sin_cos();
        let point = |(dx, dy)| (1.6 * x + 0.45 * dx, 1.6 * y + 0.45 * dy);
        Cloud { name: class.to_string(), points: normals(class).map(point).take(1000).collect() }
    };
    Scatter {
        title: "Posterior means by class".into(),
        x: linear("first principal component"),
        y: linear("second principal component"),
        clouds: (0..10).map(cloud).collect(),
        footnote: Some("Made-up numbers.".into()),
    }
}

/// One set of samples per estimator, with tails.
fn samples() -> Vec<Samples> {
    let samples = |(seed, name): (u64, &str)| {
        let values = normals(seed).map(|(a, b)| 0.3 + 0.03 * seed as f64 + 0.1 * a + 0.05 * b * b);
        Samples { name: name.into(), values: values.take(2000).collect() }
    };
    (0..).zip(ESTIMATORS).map(samples).collect()
}

fn boxes() -> BoxChart {
    BoxChart {
        title: "Pareto shape k̂ of the weights, by model".into(),
        x: linear("k̂"),
        rows: samples(),
        marks: vec![Mark { name: "0.7: the weights cannot be trusted".into(), value: 0.7 }],
        footnote: Some("Made-up numbers.".into()),
    }
}

fn histogram() -> Histogram {
    let panel = |title: &str| Panel {
        title: title.into(),
        x_label: "k̂".into(),
        series: samples().into_iter().take(3).collect(),
    };
    Histogram {
        title: "Pareto shape of the weights".into(),
        panels: vec![panel("MNIST"), panel("Omniglot")],
        bins: 40,
        footnote: Some("Made-up numbers.".into()),
    }
}

/// Rings of several sizes, 28 × 20.
fn images() -> ImageRows {
    let ring = |(dx, dy): (f64, f64)| {
        let pixel = move |n: usize| {
            let (x, y) = ((n % 20) as f64 - 9.5, (n / 20) as f64 - 13.5);
            let distance = x.hypot(y) - 6.0 - 1.5 * dx;
            (-0.3 * distance * distance).exp() as f32 * (1.0 - 0.1 * dy.abs()) as f32
        };
        (0..560).map(pixel)
    };
    let row = |(seed, label): (u64, &str)| ImageRow {
        label: label.into(),
        images: normals(seed).take(8).flat_map(ring).collect(),
        captions: match label {
            "input" => Vec::new(),
            _ => noise(seed).take(8).map(|ssim| format!("{ssim:.2}")).collect(),
        },
    };
    let labels =
        ["input", "IWAE  SSIM .61 ± .10", "a long label that has to be broken into two lines"];
    ImageRows {
        title: "Reconstructions of the first test images".into(),
        columns: ["one", "two", "three", "a fourth heading"].map(String::from).into(),
        rows: (0..).zip(labels).map(row).collect(),
        height: 28,
        width: 20,
        scale: 3,
        footnote: Some("SSIM below each image. Made-up images.".into()),
    }
}
