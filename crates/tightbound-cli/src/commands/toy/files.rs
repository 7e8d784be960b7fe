//! Write the toy experiment for programs: comma-separated files, and JSON.

use std::fmt::Write;

use serde_json::{Value, json};
use tightbound::diagnose::toy::{Row, SlopeRow, label};

use super::command::{Results, Swept};

/// Names and texts of the files.
pub fn csv(results: &Results) -> Vec<(&'static str, String)> {
    let mut files = vec![("snr.csv", ratios(results)), ("slopes.csv", slopes(results))];
    if !results.estimates.is_empty() {
        files.push(("histogram.csv", histogram(results)));
    }
    files
}

/// One line per estimator, size and part; no numbers where there is no ratio.
fn ratios(results: &Results) -> String {
    let mut text =
        "axis,estimator,m,k,part,raw,floor,debiased,low,high,ratio,dsnr,dsnr_floor\n".to_owned();
    for Swept { sweep, report } in &results.swept {
        for row in &report.rows {
            let Row { estimator, part, quality, .. } = row;
            let (axis, label) = (sweep.axis.name(), label(estimator));
            let _ = write!(text, "{axis},{label},{},{},{part}", estimator.m, estimator.k);
            let numbers = quality.map(|q| {
                let (snr, directional) = (q.snr, q.directional);
                let [low, high] = row.interval().map_or([None; 2], |ends| ends.map(Some));
                [
                    Some(snr.raw),
                    Some(snr.floor),
                    Some(snr.debiased),
                    low,
                    high,
                    Some(snr.ratio),
                    Some(directional.value),
                    Some(directional.floor),
                ]
            });
            for number in numbers.unwrap_or([None; 8]) {
                text += &format!(",{}", cell(number));
            }
            text.push('\n');
        }
    }
    text
}

/// A number, or nothing.
fn cell(number: Option<f64>) -> String {
    number.map(|n| n.to_string()).unwrap_or_default()
}

/// One line per estimator and part.
fn slopes(results: &Results) -> String {
    let mut text = "axis,estimator,part,from,to,slope,low,high,theory\n".to_owned();
    for Swept { sweep, report } in &results.swept {
        for row in &report.slopes {
            let SlopeRow { estimator, part, sizes, slope, rate, .. } = row;
            let end = |size: Option<&usize>| size.map(usize::to_string).unwrap_or_default();
            let interval = slope.and_then(|slope| slope.interval);
            let cells = [
                sweep.axis.name().to_owned(),
                label(estimator),
                part.to_string(),
                end(sizes.iter().min()),
                end(sizes.iter().max()),
                cell(slope.map(|slope| slope.value)),
                cell(interval.map(|[low, _]| low)),
                cell(interval.map(|[_, high]| high)),
                cell(*rate),
            ];
            text += &(cells.join(",") + "\n");
        }
    }
    text
}

/// One line per estimator and draw.
fn histogram(results: &Results) -> String {
    let mut text = "estimator,m,k,draw,b_1,mu_1\n".to_owned();
    for estimates in &results.estimates {
        let settings = &estimates.estimator;
        for (draw, (b, mu)) in estimates.b.iter().zip(&estimates.mu).enumerate() {
            let label = label(settings);
            let _ = writeln!(text, "{label},{},{},{draw},{b},{mu}", settings.m, settings.k);
        }
    }
    text
}

/// Everything; `refused` says why there is no ratio.
pub fn json(results: &Results) -> Value {
    let sweeps: Vec<Value> = results.swept.iter().map(sweep).collect();
    json!({ "options": results.options, "sweeps": sweeps, "histogram": results.estimates })
}

fn sweep(Swept { sweep, report }: &Swept) -> Value {
    let ratio = |row: &Row| {
        let mut value = json!({
            "estimator": row.estimator,
            "label": label(&row.estimator),
            "size": row.size,
            "part": row.part,
        });
        match &row.quality {
            Ok(quality) => {
                value["snr"] = json!(quality.snr);
                value["interval"] = json!(row.interval());
                value["directional"] = json!(quality.directional);
            }
            Err(error) => value["refused"] = json!(error.to_string()),
        }
        value
    };
    let slope = |row: &SlopeRow| {
        json!({
            "label": label(&row.estimator),
            "part": row.part,
            "sizes": row.sizes,
            "slope": row.slope,
            "theory": row.rate,
            "verdict": row.verdict,
        })
    };
    json!({
        "axis": sweep.axis,
        "rows": report.rows.iter().map(ratio).collect::<Vec<_>>(),
        "slopes": report.slopes.iter().map(slope).collect::<Vec<_>>(),
    })
}
