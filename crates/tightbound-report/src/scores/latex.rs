//! Write a score table in LaTeX.

use std::fmt::Write;

use super::layout::{Shown, Standing};
use super::score_table::ScoreTable;

/// Characters that LaTeX reads as something else, or does not know without further packages.
const WRITTEN: &[(char, &str)] = &[
    ('\\', r"\textbackslash{}"),
    ('&', r"\&"),
    ('%', r"\%"),
    ('$', r"\$"),
    ('#', r"\#"),
    ('_', r"\_"),
    ('{', r"\{"),
    ('}', r"\}"),
    ('~', r"\textasciitilde{}"),
    ('^', r"\textasciicircum{}"),
    ('<', "$<$"),
    ('>', "$>$"),
    ('|', "$|$"),
    ('±', r"$\pm$"),
    ('−', "$-$"),
    ('×', r"$\times$"),
    ('·', r"$\cdot$"),
    ('≤', r"$\leq$"),
    ('≥', r"$\geq$"),
    ('∞', r"$\infty$"),
    ('√', r"$\surd$"),
    ('‖', r"$\|$"),
    ('½', r"$\frac12$"),
    ('–', "--"),
    ('—', "---"),
    ('…', r"\ldots{}"),
    ('†', r"$\dagger$"),
    ('‡', r"$\ddagger$"),
    ('§', r"\S{}"),
    ('²', "$^2$"),
    ('α', r"$\alpha$"),
    ('β', r"$\beta$"),
    ('γ', r"$\gamma$"),
    ('δ', r"$\delta$"),
    ('ε', r"$\varepsilon$"),
    ('θ', r"$\theta$"),
    ('λ', r"$\lambda$"),
    ('μ', r"$\mu$"),
    ('σ', r"$\sigma$"),
    ('φ', r"$\varphi$"),
    ('Δ', r"$\Delta$"),
];

/// The accent that stands behind its letter in Unicode and before it in LaTeX, as in p̂.
const HAT: char = '\u{302}';

impl ScoreTable {
    /// The table in LaTeX: a `table` environment for the package `booktabs`, with published values in
    /// lines of their own.
    ///
    /// All that LaTeX would misread is escaped, and the Greek letters and signs of these tables are
    /// written as formulae; other characters stay as they are, and need an engine that knows them.
    ///
    /// # Panics
    /// If a row has more cells than there are columns.
    pub fn to_latex(&self) -> String {
        let shown = self.shown();
        let mut text = String::from("\\begin{table}\n\\centering\n");
        if !self.title.is_empty() {
            let _ = writeln!(text, "\\caption{{{}}}", escape(&self.title));
        }
        let _ =
            writeln!(text, "\\begin{{tabular}}{{l{}}}\n\\toprule", "r".repeat(self.columns.len()));
        let line = |name: &str, cells: Vec<String>| {
            let cells = cells.iter().map(|cell| format!(" & {cell}")).collect::<String>();
            // Braces, lest a name in square brackets be read as the option of the line before.
            format!("{{}}{}{cells} \\\\\n", escape(name))
        };
        text += &line(&self.corner, self.columns.iter().map(|c| escape(&c.heading)).collect());
        text += "\\midrule\n";
        for (row, cells) in self.rows.iter().zip(&shown) {
            text += &line(&row.name, cells.iter().map(cell).collect());
            if cells.iter().any(|cell| cell.published.is_some()) {
                text += &line("", cells.iter().map(published).collect());
            }
        }
        text += "\\bottomrule\n\\end{tabular}\n";
        for note in self.all_notes(&shown, "Bold") {
            let _ = writeln!(text, "\\par\\footnotesize {}", escape(&note));
        }
        text + "\\end{table}\n"
    }
}

fn cell(shown: &Shown) -> String {
    let value = number(&shown.value);
    match shown.standing {
        Standing::Best => format!("\\textbf{{{value}}}"),
        Standing::NotTold => format!("{value}$^\\dagger$"),
        _ => value,
    }
}

fn published(shown: &Shown) -> String {
    let written = |text: &String| format!("\\footnotesize {}", number(text));
    shown.published.as_ref().map(written).unwrap_or_default()
}

/// A number, whose hyphen is a minus sign.
fn number(text: &str) -> String {
    escape(&text.replace('-', "−"))
}

/// The text as itself, on one line.
fn escape(text: &str) -> String {
    let written = |c: char| match WRITTEN.iter().find(|(known, _)| *known == c) {
        Some((_, written)) => (*written).to_owned(),
        None if c.is_control() => " ".to_owned(),
        None => c.to_string(),
    };
    let mut escaped = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.next_if_eq(&HAT) {
            Some(_) if c.is_ascii_alphabetic() => {
                let _ = write!(escaped, "$\\hat{{{c}}}$");
            }
            _ => escaped += &written(c),
        }
        // Two hyphens would make a dash.
        if c == '-' && chars.peek() == Some(&'-') {
            escaped += "{}";
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::example;
    use super::*;

    #[test]
    fn names_are_no_commands() {
        let expected = r"\begin{table}
\centering
\caption{MNIST \& Omniglot: 64 samples, 100 \% of the data}
\begin{tabular}{lrrr}
\toprule
{}estimator\_name & log $\hat{p}$ & KL(q$\|$p) $|$ nats & SSIM \\
\midrule
{}iwae & \textbf{$-$84.57 $\pm$ 0.04} & 2.4 $\pm$ 0.3 & 0.580 $\pm$ 0.110 \\
{} & \footnotesize [$-$84.52 $\pm$ 0.02$\ddagger$] &  &  \\
{}ciwae\_$\beta$=$\frac12$ & $-$84.61 $\pm$ 0.08$^\dagger$ & \textbf{1.9} & -- \\
{} & \footnotesize [$-$85.24] &  &  \\
{}$<$script$>$alert('$\hat{p}$')$<$/script$>$ & $-$86.25 $\pm$ 0.07 & 2.1 $\pm$ 0.0 & -- \\
{}none & -- & -- & -- \\
{} & \footnotesize [$-$87.00] &  &  \\
\bottomrule
\end{tabular}
\par\footnotesize Mean $\pm$ standard deviation over 2 to 4 seeds.
\par\footnotesize Bold: best mean of its column.
\par\footnotesize $\dagger$: not told from the best of its column at 5 \% by the Games--Howell test: Welch's t-test, corrected for all pairs of the column.
\par\footnotesize No test, and so no $\dagger$, where the cell or the best has fewer than 4 seeds.
\par\footnotesize [\ldots{}]: Rainforth et al. 2018, $\ddagger$ second-hand; *not* ours\_at\_all.
\end{table}
";
        assert_eq!(example().to_latex(), expected);
    }

    #[test]
    fn all_that_latex_misreads_is_escaped() {
        assert_eq!(
            escape(r"\&%$#_{}~^"),
            r"\textbackslash{}\&\%\$\#\_\{\}\textasciitilde{}\textasciicircum{}"
        );
        assert_eq!(escape("a--b-c\nd"), "a-{}-b-c d");
        assert_eq!(
            escape("log p̂(x) ≥ –½ ‖σ²‖"),
            r"log $\hat{p}$(x) $\geq$ --$\frac12$ $\|$$\sigma$$^2$$\|$"
        );
    }
}
