//! What stands between tokens: comments and pragmas. Apart, because none of it reaches the parser.

use super::lexer::Lexer;

impl Lexer<'_> {
    /// §6.1.5: comments nest, also those of /* and */.
    pub(super) fn comment(&mut self, open: &str, close: &str) {
        let (start, mut depth) = (self.at, 0_usize);
        loop {
            if self.takes(open) {
                depth += 1;
            } else if self.takes(close) {
                depth -= 1;
                if depth == 0 {
                    return;
                }
            } else if let Some(c) = self.rest().chars().next() {
                self.at += c.len_utf8();
            } else {
                let open_ones = if depth == 1 { "one is".to_owned() } else { format!("{depth} are") };
                let nested = format!("comments nest, and {open_ones} still open; write `{close}`");
                self.at = start + open.len();
                self.complain(start, "this comment is never closed", &nested);
                self.at = self.text.len();
                // What the comment has swallowed is not missing.
                self.broken = true;
                return;
            }
        }
    }

    pub(super) fn pragma(&mut self) {
        const HINT: &str = "what stands between braces is a pragma and is skipped; statements are closed with END_IF, \
                            END_FOR and the like";
        let start = self.at;
        let end = if self.unclosed { None } else { self.rest().find('}') };
        if let Some(end) = end {
            self.out.pragmas.push(start);
            self.at += end + 1;
        } else {
            self.at += 1;
            self.unclosed = true;
            self.complain(start, "this brace is never closed", HINT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;

    #[test]
    fn comments_nest_and_pragmas_are_passed_over() {
        let count = |text| tokens(text).tokens.len() - 1;
        assert_eq!(count("a (* b (* c *) d *) /* e /* f */ */ {g} h // i\nj"), 3);
        assert_eq!(count("(*) (*)*) a"), 0);
        assert_eq!(count("(**) a /**/ b"), 2);
    }
}
