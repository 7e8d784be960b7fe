//! Lay out title, plots with their axes, legend and footnote so that none covers another.

use super::axis::{Axis, Range, Scale, Tick, ticks};
use super::canvas::{Canvas, Hold, Spot, Type};
use super::look::Look;

pub(super) const EDGE: f64 = 18.0;
pub(super) const GAP: f64 = 8.0;
pub(super) const TITLE: Type = Type::size(18);
const PANEL_TITLE: Type = Type::size(15).held(Hold::Middle);
const LABEL: Type = Type::size(14);
const TICK: Type = Type::size(13);
const LEGEND: Type = Type::size(13);
pub(super) const FOOTNOTE: Type = Type::size(12);
const LEGEND_WIDTH: f64 = 240.0;
const SAMPLE: f64 = 40.0;
const AXIS_COLOUR: &str = "#444444";
const GRID_COLOUR: &str = "#e2e2e2";

/// Everything of a figure but its data.
pub(super) struct Page<'a> {
    pub title: &'a str,
    pub plots: Vec<PlotPlan<'a>>,
    pub legend: Vec<(&'a str, Look)>,
    pub footnote: Option<&'a str>,
}

/// A plot before it has its place.
pub(super) struct PlotPlan<'a> {
    pub title: &'a str,
    pub x: AxisPlan<'a>,
    pub y: AxisPlan<'a>,
    /// Width and height of the area for data.
    pub size: (f64, f64),
}

/// What an axis shows.
#[derive(Clone, Copy)]
pub(super) struct AxisPlan<'a> {
    pub label: &'a str,
    pub scale: Scale,
    pub range: Range,
    /// Names of the places 0, −1, −2 …, instead of numbers; none for an axis of numbers.
    pub names: &'a [&'a str],
}

impl<'a> AxisPlan<'a> {
    /// The axis over a range and a little more.
    pub fn of(axis: &'a Axis, range: Range) -> Self {
        Self { label: &axis.label, scale: axis.scale, range: range.with_margin(), names: &[] }
    }
}

/// An area on the sheet with the ranges of its axes.
pub(super) struct Plot {
    left: f64,
    top: f64,
    size: (f64, f64),
    pub x: Range,
    pub y: Range,
}

impl Plot {
    pub fn new((left, top): Spot, size: (f64, f64), x: Range, y: Range) -> Self {
        Self { left, top, size, x, y }
    }

    /// The spot of a pair of places; those beyond the ranges move to the rim.
    pub fn spot(&self, x: f64, y: f64) -> Spot {
        let part = |place: f64, range: Range| {
            ((place - range.low) / (range.high - range.low)).clamp(0.0, 1.0)
        };
        (
            self.left + self.size.0 * part(x, self.x),
            self.top + self.size.1 * (1.0 - part(y, self.y)),
        )
    }
}

/// Width of the widest label.
fn widest(ticks: &[Tick]) -> f64 {
    let labels = ticks.iter().filter_map(|tick| tick.label.as_deref());
    labels.map(|label| TICK.width(label)).fold(0.0, f64::max)
}

/// Baseline of the next line of text.
pub(super) fn line(set: Type) -> f64 {
    (1.35 * f64::from(set.size)).round()
}

impl PlotPlan<'_> {
    /// As many ticks as leave room between their labels.
    fn x_ticks(&self) -> Vec<Tick> {
        let most = (self.size.0 / 56.0) as usize;
        let tried = (2..=most).rev().map(|wanted| ticks(self.x.scale, self.x.range, wanted));
        let fits = |ticks: &Vec<Tick>| {
            let labels = ticks.iter().filter(|tick| tick.label.is_some()).count();
            labels as f64 * (widest(ticks) + 2.0 * GAP) <= self.size.0
        };
        tried.into_iter().find(fits).unwrap_or_default()
    }

    fn y_ticks(&self) -> Vec<Tick> {
        if self.y.names.is_empty() {
            return ticks(self.y.scale, self.y.range, (self.size.1 / 45.0) as usize);
        }
        let named = |(number, name): (usize, &&str)| Tick {
            place: -(number as f64),
            label: Some((*name).to_owned()),
        };
        self.y.names.iter().enumerate().map(named).collect()
    }

    /// Room for the labels of the y axis.
    fn left(&self) -> f64 {
        (widest(&self.y_ticks()) + 12.0).round()
    }

    /// Draws the axes around the area whose upper left corner is at `(left, top)`, and the title on
    /// a baseline further up.
    fn draw(&self, canvas: &mut Canvas, (left, top): Spot, title_above: f64) -> Plot {
        let plot = Plot::new((left, top), self.size, self.x.range, self.y.range);
        let (right, bottom) = (left + self.size.0, top + self.size.1);
        let centre = f64::midpoint(left, right);
        for tick in self.x_ticks() {
            let (x, _) = plot.spot(tick.place, plot.y.low);
            let length = if let Some(label) = &tick.label {
                canvas.rule((x, top), (x, bottom), GRID_COLOUR, 1.0);
                canvas.text((x, bottom + GAP + line(TICK)), label, TICK.held(Hold::Middle));
                6.0
            } else {
                3.0
            };
            canvas.rule((x, bottom), (x, bottom + length), AXIS_COLOUR, 1.0);
        }
        for tick in self.y_ticks() {
            let (_, y) = plot.spot(plot.x.low, tick.place);
            let length = if let Some(label) = &tick.label {
                canvas.rule((left, y), (right, y), GRID_COLOUR, 1.0);
                canvas.text((left - 10.0, y + 4.5), label, TICK.held(Hold::End));
                6.0
            } else {
                3.0
            };
            canvas.rule((left - length, y), (left, y), AXIS_COLOUR, 1.0);
        }
        let rim = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        canvas.stroke(&rim, &Look { colour: AXIS_COLOUR, dash: &[], marker: None, width: 1.0 });
        let (above, below) = (top - GAP, bottom + GAP + line(TICK) + line(LABEL));
        canvas.text((centre, below), self.x.label, LABEL.held(Hold::Middle));
        canvas.text((left - self.left(), above), self.y.label, LABEL);
        canvas.text((centre, title_above), self.title, PANEL_TITLE);
        plot
    }
}

impl Page<'_> {
    /// Draws all that is not data, and says where the data go.
    pub fn lay_out(&self) -> (Canvas, Vec<Plot>) {
        let right_of = |plan: &PlotPlan| plan.left() + plan.size.0 + EDGE;
        let plots_right = EDGE + self.plots.iter().map(right_of).sum::<f64>();
        let legend: Vec<(Vec<String>, Look)> = self
            .legend
            .iter()
            .map(|(name, look)| (LEGEND.wrap(name, LEGEND_WIDTH), *look))
            .collect();
        let names = legend.iter().flat_map(|(lines, _)| lines);
        let names_width = names.map(|name| LEGEND.width(name)).fold(0.0, f64::max);
        let legend_width = if legend.is_empty() { 0.0 } else { SAMPLE + GAP + names_width + EDGE };
        let width = plots_right + legend_width;

        let title = TITLE.wrap(self.title, width - 2.0 * EDGE);
        let footnote = FOOTNOTE.wrap(self.footnote.unwrap_or(""), width - 2.0 * EDGE);
        let row = |set: Type, text: fn(&PlotPlan) -> bool| {
            if self.plots.iter().any(text) { line(set) } else { 0.0 }
        };
        let panel_title = row(PANEL_TITLE, |plan| !plan.title.is_empty());
        let y_label = row(LABEL, |plan| !plan.y.label.is_empty());
        let top = EDGE + title.len() as f64 * line(TITLE) + GAP + panel_title + y_label;
        let plots_height = self.plots.iter().map(|plan| plan.size.1).fold(0.0, f64::max);
        let axes_bottom = top + plots_height + line(TICK) + line(LABEL) + 2.0 * GAP;
        let legend_height = legend.iter().map(|(lines, _)| entry_height(lines)).sum::<f64>();
        let bottom = axes_bottom.max(top + legend_height);
        let notes =
            if footnote.is_empty() { 0.0 } else { GAP + footnote.len() as f64 * line(FOOTNOTE) };
        let mut canvas = Canvas::new(width, bottom + notes + EDGE, self.title);

        for (number, text) in title.iter().enumerate() {
            canvas.text((EDGE, EDGE + 13.0 + number as f64 * line(TITLE)), text, TITLE);
        }
        let mut left = EDGE;
        let mut plots = Vec::new();
        for plan in &self.plots {
            plots.push(plan.draw(&mut canvas, (left + plan.left(), top), top - y_label - GAP));
            left += right_of(plan);
        }
        draw_legend(&mut canvas, (plots_right, top), &legend);
        for (number, text) in footnote.iter().enumerate() {
            let y = bottom + GAP + (number + 1) as f64 * line(FOOTNOTE);
            canvas.text((EDGE, y), text, FOOTNOTE);
        }
        (canvas, plots)
    }
}

fn entry_height(lines: &[String]) -> f64 {
    lines.len().max(1) as f64 * line(LEGEND) + 5.0
}

fn draw_legend(canvas: &mut Canvas, (left, mut top): Spot, legend: &[(Vec<String>, Look)]) {
    for (lines, look) in legend {
        let y = top + 9.0;
        if look.width > 0.0 {
            canvas.stroke(&[(left, y), (left + SAMPLE, y)], look);
        }
        if let Some(marker) = look.marker {
            canvas.marker((left + SAMPLE / 2.0, y), marker, look.colour);
        }
        for (number, text) in lines.iter().enumerate() {
            let baseline = y + 4.5 + number as f64 * line(LEGEND);
            canvas.text((left + SAMPLE + GAP, baseline), text, LEGEND);
        }
        top += entry_height(lines);
    }
}
