//! Write a score table as HTML.

use std::fmt::Write;

use super::layout::{MARK, Shown, Standing};
use super::score_table::ScoreTable;
use crate::escape::escape;

impl ScoreTable {
    /// The table as an HTML fragment without any style: a `figure.score-table` with the table, its
    /// caption, and a list `ul.notes`. Cells are `td.best`, `td.not-told` or plain; published values
    /// are `span.published`.
    ///
    /// # Panics
    /// If a row has more cells than there are columns.
    pub fn to_html(&self) -> String {
        let shown = self.shown();
        let mut html = String::from("<figure class=\"score-table\">\n<table>\n");
        if !self.title.is_empty() {
            let _ = writeln!(html, "<caption>{}</caption>", escape(&self.title));
        }
        let headings = std::iter::once(&self.corner).chain(self.columns.iter().map(|c| &c.heading));
        let headings = headings.map(|text| format!("<th scope=\"col\">{}</th>", escape(text)));
        let _ =
            writeln!(html, "<thead>\n<tr>{}</tr>\n</thead>\n<tbody>", headings.collect::<String>());
        for (row, cells) in self.rows.iter().zip(&shown) {
            let cells = cells.iter().map(cell).collect::<String>();
            let _ = writeln!(html, "<tr><th scope=\"row\">{}</th>{cells}</tr>", escape(&row.name));
        }
        html += "</tbody>\n</table>\n";
        let notes = self.all_notes(&shown, "Bold");
        if !notes.is_empty() {
            let items = notes.iter().map(|note| format!("<li>{}</li>\n", escape(note)));
            let _ = writeln!(html, "<ul class=\"notes\">\n{}</ul>", items.collect::<String>());
        }
        html + "</figure>\n"
    }
}

fn cell(shown: &Shown) -> String {
    let value = escape(&shown.value);
    let (class, value) = match shown.standing {
        Standing::Best => (" class=\"best\"", format!("<strong>{value}</strong>")),
        Standing::NotTold => (" class=\"not-told\"", format!("{value}<sup>{MARK}</sup>")),
        _ => ("", value),
    };
    let published = shown
        .published
        .iter()
        .map(|text| format!(" <span class=\"published\">{}</span>", escape(text)));
    format!("<td{class}>{value}{}</td>", published.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::example;

    #[test]
    fn names_are_no_tags() {
        let expected = r#"<figure class="score-table">
<table>
<caption>MNIST &amp; Omniglot: 64 samples, 100 % of the data</caption>
<thead>
<tr><th scope="col">estimator_name</th><th scope="col">log p̂</th><th scope="col">KL(q‖p) | nats</th><th scope="col">SSIM</th></tr>
</thead>
<tbody>
<tr><th scope="row">iwae</th><td class="best"><strong>-84.57 ± 0.04</strong> <span class="published">[-84.52 ± 0.02‡]</span></td><td>2.4 ± 0.3</td><td>0.580 ± 0.110</td></tr>
<tr><th scope="row">ciwae_β=½</th><td class="not-told">-84.61 ± 0.08<sup>†</sup> <span class="published">[-85.24]</span></td><td class="best"><strong>1.9</strong></td><td>–</td></tr>
<tr><th scope="row">&lt;script&gt;alert(&#39;p̂&#39;)&lt;/script&gt;</th><td>-86.25 ± 0.07</td><td>2.1 ± 0.0</td><td>–</td></tr>
<tr><th scope="row">none</th><td>– <span class="published">[-87.00]</span></td><td>–</td><td>–</td></tr>
</tbody>
</table>
<ul class="notes">
<li>Mean ± standard deviation over 2 to 4 seeds.</li>
<li>Bold: best mean of its column.</li>
<li>†: not told from the best of its column at 5 % by the Games–Howell test: Welch&#39;s t-test, corrected for all pairs of the column.</li>
<li>No test, and so no †, where the cell or the best has fewer than 4 seeds.</li>
<li>[…]: Rainforth et al. 2018, ‡ second-hand; *not* ours_at_all.</li>
</ul>
</figure>
"#;
        assert_eq!(example().to_html(), expected);
    }
}
