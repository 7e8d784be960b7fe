//! Make pages of known content, and decode as their scripts should.

use tightbound_report::page::{
    Block, DenseLayer, Download, Example, Explorer, Markup, Nonlinearity, Page, Section, Unit,
};

/// Repeatable numbers, even in [−1, 1).
struct Numbers(u64);

impl Numbers {
    fn draw(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn take(&mut self, count: usize, scale: f32) -> Vec<f32> {
        (0..count).map(|_| scale * self.draw()).collect()
    }
}

/// A decoder with random weights of Glorot's size, and eleven examples. `widths` are those of the
/// latents, the hidden layers and the pixels.
pub fn explorer(name: &str, widths: &[usize], nonlinearity: Nonlinearity) -> Explorer {
    let (latents, pixels) = (widths[0], widths[widths.len() - 1]);
    let mut numbers = Numbers(pixels as u64);
    let mut layer = |pair: &[usize]| {
        let scale = (6.0 / (pair[0] + pair[1]) as f32).sqrt();
        DenseLayer {
            inputs: pair[0],
            outputs: pair[1],
            weights: numbers.take(pair[0] * pair[1], scale),
            biases: numbers.take(pair[1], 1.0),
        }
    };
    let layers = widths.windows(2).map(&mut layer).collect();
    let example = |number| Example {
        label: format!("{name} {number}"),
        mean: numbers.take(latents, 2.0),
        pixels: (0..pixels).map(|pixel| (pixel % 256) as f32 / 255.0).collect(),
    };
    let height = (1..).find(|side| side * side >= pixels).unwrap();
    Explorer {
        name: name.to_owned(),
        height,
        width: pixels / height,
        latents,
        layers,
        nonlinearity,
        // From the last to the first, so that order and number cannot be confused.
        units: (0..latents).rev().map(|index| Unit { index, note: format!("{name}!") }).collect(),
        examples: (0..11).map(example).collect(),
    }
}

/// A page with everything on it; every word from outside is `word`.
pub fn page_of(word: &str, mut explorers: Vec<Explorer>) -> Page {
    let words = || vec![word.to_owned(), word.to_owned()];
    for explorer in &mut explorers {
        explorer.name = word.to_owned();
        explorer.units.iter_mut().for_each(|unit| unit.note = word.to_owned());
        explorer.examples.iter_mut().for_each(|example| example.label = word.to_owned());
    }
    let download = Download { label: word.into(), file: word.into(), text: "a,b\n1,2\n".into() };
    let blocks = vec![
        Block::Paragraph(word.into()),
        Block::Table {
            html: Markup::trusted(wide_table()),
            caption: word.into(),
            downloads: vec![download],
        },
        Block::Figure {
            name: word.into(),
            svg: SVG.into(),
            caption: word.into(),
            csv: Some("k,snr\n1,2\n".into()),
        },
        Block::Commands(words()),
        Block::Facts(vec![(word.into(), word.into())]),
    ];
    Page {
        title: word.into(),
        lead: word.into(),
        findings: words(),
        warnings: words(),
        explorers,
        sections: vec![Section { title: word.into(), blocks }],
        footer: words(),
    }
}

/// A picture wider than a phone that tries to run a script.
const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="763" height="90" fill="#222">
<script>window.seized = true; parent.seized = true;</script><text x="9" y="31">figure</text></svg>"##;

/// A table much wider than a phone.
fn wide_table() -> String {
    let cells = r#"<td class="number">−86.1234 ± 0.1234</td>"#.repeat(12);
    format!("<table><tbody><tr>{cells}</tr></tbody></table>")
}

/// p(x|z) in double precision, layer by layer.
pub fn decode(explorer: &Explorer, z: &[f64]) -> Vec<f64> {
    let last = explorer.layers.len() - 1;
    let mut values = z.to_vec();
    for (depth, layer) in explorer.layers.iter().enumerate() {
        let row = |(weights, bias): (&[f32], &f32)| {
            let products = weights.iter().zip(&values).map(|(&w, &x)| f64::from(w) * x);
            let sum = f64::from(*bias) + products.sum::<f64>();
            match explorer.nonlinearity {
                _ if depth == last => 1.0 / (1.0 + (-sum).exp()),
                Nonlinearity::Tanh => sum.tanh(),
                Nonlinearity::Relu => sum.max(0.0),
                Nonlinearity::Softplus => sum.exp().ln_1p(),
            }
        };
        let rows = layer.weights.chunks_exact(layer.inputs).zip(&layer.biases);
        values = rows.map(row).collect();
    }
    values
}
