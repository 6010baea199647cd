//! A line of comma-separated values (RFC 4180). Apart, because what actors sent ends up in spreadsheets, which would run it.

/// The values as a line, without its end; a text that a spreadsheet would take for a formula has an apostrophe before it.
pub(crate) fn line<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for (place, value) in values.into_iter().enumerate() {
        if place > 0 {
            line.push(',');
        }
        // What OWASP says that spreadsheets take for the beginning of a formula, in its wide forms as well.
        let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        let guard = if is_formula && value.parse::<f64>().is_err() { "'" } else { "" };
        if value.contains(['"', ',', '\r', '\n']) {
            line.push_str(&format!("\"{guard}{}\"", value.replace('"', "\"\"")));
        } else {
            line.push_str(guard);
            line.push_str(value);
        }
    }
    // RFC 4180, section 2.1: lines end with CR and LF; whoever prints the line adds the LF.
    line + "\r"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_and_formulas_are_not_run() {
        assert_eq!(line(["a", "b c", ""]), "a,b c,\r");
        assert_eq!(line(["a,b", "say \"x\"", "two\nlines"]), "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r");
        assert_eq!(line(["=1+1", "@SUM(A1)", "-2+3", "-5", "\tx"]), "'=1+1,'@SUM(A1),'-2+3,-5,'\tx\r");
        assert_eq!(line(["=HYPERLINK(\"http://x\",1)"]), "\"'=HYPERLINK(\"\"http://x\"\",1)\"\r");
    }
}
