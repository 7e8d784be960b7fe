//! Write what is known of every single image as CSV, and read it back.

use serde::{Deserialize, Serialize};

use super::curve::curve_sizes;
use super::score::ImageScore;
use crate::data::Images;

/// One image's line: its log-likelihood, an anomaly score among other things, and how far it can be
/// relied on. Empty fields are numbers that do not exist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageRow {
    /// The image's number in its data set.
    pub id: u32,
    /// Its class, where that is known.
    pub label: Option<u16>,
    /// L_1, in nats.
    pub elbo: f64,
    /// L_64, in nats; none if K < 64.
    pub iwae_64: Option<f64>,
    /// L_K, in nats.
    pub log_p_hat: f64,
    /// The jackknife's log p̂, in nats.
    pub jackknife: Option<f64>,
    /// Effective sample size, from 1 to K.
    pub effective_samples: f64,
    /// Shape k̂ of the weights' tail.
    pub pareto_k: Option<f64>,
    /// SSIM of the reconstruction from a posterior draw, zero-padded.
    pub ssim: Option<f64>,
}

/// What is wrong with a file of images' lines.
#[derive(Debug, thiserror::Error)]
#[error("not a list of scored images: {0}")]
pub struct PerImageError(#[from] csv::Error);

/// The lines of `images`, which were scored with K = `k`. `ssim` has a number for each of them, or none.
///
/// # Panics
/// If there are not as many scores as images.
pub fn image_rows(images: &Images, scores: &[ImageScore], k: u32, ssim: &[f64]) -> Vec<ImageRow> {
    assert_eq!(images.len(), scores.len(), "a score for every image");
    let l_64 = curve_sizes(k).iter().position(|&size| size == 64);
    let row = |(index, score): (usize, &ImageScore)| ImageRow {
        id: score.id,
        label: images.labels.as_ref().map(|labels| labels[index]),
        elbo: score.curve[0],
        iwae_64: l_64.map(|point| score.curve[point]),
        log_p_hat: score.log_p_hat(),
        jackknife: score.jackknife,
        effective_samples: score.effective_samples,
        pareto_k: score.pareto_k,
        ssim: ssim.get(index).copied(),
    };
    scores.iter().enumerate().map(row).collect()
}

/// The lines as CSV, under their fields' names. Numbers are written so that every bit comes back.
pub fn write_rows(rows: &[ImageRow]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).expect("a row of numbers becomes CSV in memory");
    }
    writer.into_inner().expect("memory takes all bytes")
}

/// Reads what [`write_rows`] wrote.
///
/// # Errors
/// If a line or field is not what it should be; the error names it.
pub fn read_rows(bytes: &[u8]) -> Result<Vec<ImageRow>, PerImageError> {
    let rows = csv::Reader::from_reader(bytes).into_deserialize().collect::<Result<_, _>>();
    Ok(rows?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;

    fn rows() -> Vec<ImageRow> {
        let images = Images::new(1, 2, Pixels::Bytes(vec![0; 4]), Some(vec![7, 3]));
        let score = |id, k| ImageScore {
            id,
            curve: (0..8).map(|i| -0.1 - 0.2 * f64::from(i)).collect(),
            jackknife: Some(1e-300 / 3.0),
            effective_samples: 64.5,
            pareto_k: k,
        };
        let scores = [score(0, Some(f64::INFINITY)), score(1, None)];
        image_rows(&images, &scores, 100, &[0.5, 0.25])
    }

    #[test]
    fn every_bit_comes_back() {
        let rows = rows();
        assert_eq!((rows[1].label, rows[1].ssim), (Some(3), Some(0.25)));
        assert_eq!(
            (rows[0].iwae_64, rows[0].log_p_hat),
            (Some(-0.1 - 0.2 * 6.0), -0.1 - 0.2 * 7.0)
        );
        let bytes = write_rows(&rows);
        let heading = "id,label,elbo,iwae_64,log_p_hat,jackknife,effective_samples,pareto_k,ssim\n";
        assert!(bytes.starts_with(heading.as_bytes()));
        assert_eq!(read_rows(&bytes).unwrap(), rows);
    }

    #[test]
    fn damage_is_refused_by_its_line() {
        let text = String::from_utf8(write_rows(&rows())).unwrap();
        for (damaged, word) in [
            (text.replace("64.5", "64.x"), "line: 2"),
            (text.replace(",0.25\n", "\n"), "line: 3"),
            (text.replace("elbo", "elba"), "elbo"),
        ] {
            let error = read_rows(damaged.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
