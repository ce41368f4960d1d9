//! Templates: quoted, heredocs and whole files.
//!
//! The parser's own dedenting of `<<-` loses text, and strip markers are its reader's to apply. So the text of heredocs is taken from the
//! source again, and whitespace is treated line by line as HCL's specification of templates does: a strip marker reaches to the end of
//! its line at most, and `<<-` counts the spaces of what is left after that.

use super::{Lowering, problem};
use crate::config::expression::{Expr, Node, Part};
use crate::source::Span;
use crate::value::Value;
use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, ForDirective, HeredocTemplate, IfDirective, StringTemplate, Strip, Template};
use std::collections::VecDeque;
use std::sync::Arc;

/// How the text of a template is written in the source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// In quotes: escapes are resolved already, and it is one line.
    Quoted,
    /// As it stands, but for `$${` and `%%{`.
    Plain,
}

/// Everything in a template, in order, directives taken apart.
enum Token {
    /// Text up to the end of its line, and whether it is followed by more of the same literal.
    Text(String),
    /// The end of one literal: what was taken apart into lines is one text again.
    LiteralEnd,
    /// An interpolation or a directive, with its strip markers.
    Sequence(Strip),
}

impl Lowering<'_> {
    pub(super) fn quoted(&mut self, template: &StringTemplate, span: Span) -> Expr {
        for element in template {
            if let Element::Literal(text) = element
                && self.source(text.span()).contains('\n')
            {
                let at = self.of(text);
                self.report(problem::several_lines(at));
            }
        }
        self.wrap_or_template(template, Written::Quoted, span)
    }

    pub(super) fn bare_template(&mut self, template: &Template, span: Span) -> Expr {
        self.wrap_or_template(template, Written::Plain, span)
    }

    pub(super) fn heredoc(&mut self, heredoc: &HeredocTemplate, span: Span) -> Expr {
        let mut tokens = self.tokens(&heredoc.template, Written::Plain);
        strip(&mut tokens);
        if self.source(heredoc.span()).starts_with("<<-") {
            dedent(&mut tokens);
        }
        let parts = self.parts(&heredoc.template, &mut texts(tokens));
        template_of(parts, span)
    }

    fn wrap_or_template(&mut self, template: &Template, written: Written, span: Span) -> Expr {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return Expr::new(Node::Wrap(Box::new(self.expression(&only.expr))), span);
        }
        let mut tokens = self.tokens(template, written);
        strip(&mut tokens);
        let parts = self.parts(template, &mut texts(tokens));
        template_of(parts, span)
    }

    fn tokens(&self, template: &Template, written: Written) -> Vec<Token> {
        let mut tokens = Vec::new();
        self.collect(template, written, &mut tokens);
        tokens
    }

    fn collect(&self, template: &Template, written: Written, tokens: &mut Vec<Token>) {
        for element in template {
            match element {
                Element::Literal(text) => {
                    match written {
                        Written::Quoted => tokens.push(Token::Text(text.value().clone())),
                        Written::Plain => {
                            let lines = self.source(text.span()).split_inclusive('\n');
                            tokens.extend(lines.map(|line| Token::Text(line.replace("$${", "${").replace("%%{", "%{"))));
                        }
                    }
                    tokens.push(Token::LiteralEnd);
                }
                Element::Interpolation(interpolation) => tokens.push(Token::Sequence(interpolation.strip)),
                Element::Directive(directive) => self.collect_directive(directive, written, tokens),
            }
        }
    }

    fn collect_directive(&self, directive: &Directive, written: Written, tokens: &mut Vec<Token>) {
        match directive {
            Directive::If(directive) => {
                tokens.push(Token::Sequence(directive.if_expr.strip));
                self.collect(&directive.if_expr.template, written, tokens);
                if let Some(otherwise) = &directive.else_expr {
                    tokens.push(Token::Sequence(otherwise.strip));
                    self.collect(&otherwise.template, written, tokens);
                }
                tokens.push(Token::Sequence(directive.endif_expr.strip));
            }
            Directive::For(directive) => {
                tokens.push(Token::Sequence(directive.for_expr.strip));
                self.collect(&directive.for_expr.template, written, tokens);
                tokens.push(Token::Sequence(directive.endfor_expr.strip));
            }
        }
    }

    /// The parts of a template, its literals taken from `texts` in order.
    fn parts(&mut self, template: &Template, texts: &mut VecDeque<String>) -> Vec<Part> {
        let mut parts = Vec::new();
        for element in template {
            match element {
                Element::Literal(_) => {
                    if let Some(text) = texts.pop_front().filter(|text| !text.is_empty()) {
                        parts.push(Part::Text(text.into()));
                    }
                }
                Element::Interpolation(interpolation) => parts.push(Part::Interpolation(self.expression(&interpolation.expr))),
                Element::Directive(directive) => parts.push(match directive.as_ref() {
                    Directive::If(directive) => self.if_part(directive, texts),
                    Directive::For(directive) => self.for_part(directive, texts),
                }),
            }
        }
        parts
    }

    fn if_part(&mut self, directive: &IfDirective, texts: &mut VecDeque<String>) -> Part {
        let condition = self.expression(&directive.if_expr.cond_expr);
        let then = self.parts(&directive.if_expr.template, texts);
        let otherwise = match &directive.else_expr {
            Some(otherwise) => self.parts(&otherwise.template, texts),
            None => Vec::new(),
        };
        Part::If(condition, then.into(), otherwise.into())
    }

    fn for_part(&mut self, directive: &ForDirective, texts: &mut VecDeque<String>) -> Part {
        let head = &directive.for_expr;
        let collection = self.expression(&head.collection_expr);
        let key: Option<Arc<str>> = head.key_var.as_ref().map(|name| name.as_str().into());
        let value: Arc<str> = head.value_var.as_str().into();
        let depth = self.bound.len();
        self.bound.extend(key.clone());
        self.bound.push(value.clone());
        let body = self.parts(&head.template, texts);
        self.bound.truncate(depth);
        Part::For { key, value, collection, body: body.into() }
    }
}

/// Applies the strip markers: each reaches the text right beside it, up to its line's end.
fn strip(tokens: &mut [Token]) {
    for at in 0..tokens.len() {
        let Token::Sequence(markers) = tokens[at] else { continue };
        if markers.strip_start()
            && let Some(Token::Text(text)) = beside(tokens, at, |at| at.checked_sub(1))
        {
            text.truncate(text.trim_end().len());
        }
        if markers.strip_end()
            && let Some(Token::Text(text)) = beside(tokens, at, |at| Some(at + 1))
        {
            *text = text.trim_start().to_owned();
        }
    }
}

/// The token before or after, ends of literals passed over.
fn beside(tokens: &mut [Token], at: usize, step: fn(usize) -> Option<usize>) -> Option<&mut Token> {
    let mut at = step(at)?;
    while matches!(tokens.get(at)?, Token::LiteralEnd) {
        at = step(at)?;
    }
    tokens.get_mut(at)
}

/// Takes the indent that all lines share from each; a line that a sequence begins has none, and blank lines do not count.
fn dedent(tokens: &mut [Token]) {
    let mut indents = Vec::new();
    let mut least = usize::MAX;
    let mut line_begins = true;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::LiteralEnd => {}
            Token::Sequence(_) => {
                if line_begins {
                    least = 0;
                }
                line_begins = false;
            }
            Token::Text(text) => {
                let blank = text.trim().is_empty() && text.ends_with('\n');
                if line_begins && !blank {
                    least = least.min(text.chars().take_while(|c| c.is_whitespace()).count());
                    indents.push(at);
                }
                line_begins = text.ends_with('\n');
            }
        }
    }
    for at in indents {
        if let Token::Text(text) = &mut tokens[at] {
            *text = text.chars().skip(least).collect();
        }
    }
}

/// The text of each literal, in order.
fn texts(tokens: Vec<Token>) -> VecDeque<String> {
    let mut texts = VecDeque::new();
    let mut current = String::new();
    for token in tokens {
        match token {
            Token::Text(text) => current.push_str(&text),
            Token::LiteralEnd => texts.push_back(std::mem::take(&mut current)),
            Token::Sequence(_) => {}
        }
    }
    texts
}

fn template_of(parts: Vec<Part>, span: Span) -> Expr {
    let node = match parts.as_slice() {
        [] => Node::Literal(Value::string("")),
        [Part::Text(text)] => Node::Literal(Value::string(text.clone())),
        _ => Node::Template(parts.into()),
    };
    Expr::new(node, span)
}

#[cfg(test)]
mod tests {
    use super::super::{parse_expression, parse_template};
    use crate::config::written::written;
    use crate::source::FileId;

    fn shown(text: &str) -> String {
        match parse_expression(text, FileId(0)) {
            Ok(expression) => written(&expression),
            Err(problems) => panic!("{text}: {problems:?}"),
        }
    }

    #[test]
    fn quoted_templates() {
        for (text, expected) in [
            (r#""a ${var.b} c""#, r#"T<"a " var:b " c">"#),
            (r#""${var.b}""#, "W(var:b)"),
            (r#""${~ var.b ~}""#, "W(var:b)"),
            (r#""${"${var.b}"}""#, "W(W(var:b))"),
            (r#""x  ${~ var.b ~}  y""#, r#"T<"x" var:b "y">"#),
            (r#""x\n${~ var.b}""#, r#"T<"x" var:b>"#),
            (r#""%{ if var.a }yes%{ else }no%{ endif }""#, r#"T<if var:a <"yes"> else <"no">>"#),
            (r#""%{ for k, v in var.a }${k}=${v},%{ endfor }""#, r#"T<for k, v in var:a <$k "=" $v ",">>"#),
            (r#""$${a}${1}""#, r#"T<"${a}" 1>"#),
            (r#""%%{ if ${1}""#, r#"T<"%{ if " 1>"#),
            (r#""${upper("}")}""#, r#"W(upper("}"))"#),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn heredocs_keep_their_text() {
        for (text, expected) in [
            ("<<E\na\n  b\nE\n", r#""a\n  b\n""#),
            ("<<E\nE\n", r#""""#),
            ("<<E\na $${b} \\n \"c\"\nE\n", r#""a ${b} \\n \"c\"\n""#),
            ("<<E\n${var.a}\nE\n", r#"T<var:a "\n">"#),
            ("<<-E\n    a\n      b\n\n    c\n  E\n", r#""a\n  b\n\nc\n""#),
            // The parser's own dedent loses text here.
            ("<<-EOT\n    a\n  ${var.b}\nzz\nEOT\n", r#"T<"    a\n  " var:b "\nzz\n">"#),
            ("<<-E\n    a\n  ${var.b}\n    zz\n  E\n", r#"T<"  a\n" var:b "\n  zz\n">"#),
            ("<<-E\n  a ${var.b}\n    c\n  E\n", r#"T<"a " var:b "\n  c\n">"#),
            ("<<-E\n${var.b}\n    c\n  E\n", r#"T<var:b "\n    c\n">"#),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    /// Each expectation is what Terraform 1.11 makes of the same text.
    #[test]
    fn strip_markers_reach_to_the_end_of_their_line() {
        for (text, expected) in [
            ("<<E\nA\n%{ if true ~}\n\n    x\n    %{~ endif }\nB\nE\n", r#"T<"A\n" if true <"\n    x\n"> else <> "\nB\n">"#),
            (
                "<<-E\n    %{ for x in [1] ~}\n      x ${x}\n    %{ endfor ~}\n    end\n  E\n",
                r#"T<for x in [1] <"      x " $x "\n"> "    end\n">"#,
            ),
            (
                "<<-E\n    A\n  %{~ if true }\n      B\n    %{ endif }\n    ${\"q\"}\n      z\n    E\n",
                r#"T<"    A\n" if true <"\n      B\n    "> else <> "\n    " "q" "\n      z\n">"#,
            ),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn a_files_names_are_the_templates_variables() {
        for (text, expected) in [
            ("plain\n", r#""plain\n""#),
            ("${name}", "W($name)"),
            ("a: ${name.x[0]}\n%{ for p in ports ~}\n- ${p}\n%{ endfor ~}\n", r#"T<"a: " $name.x[0] "\n" for p in $ports <"- " $p "\n">>"#),
            ("", r#""""#),
            ("\"q\" \\n $${x}", r#""\"q\" \\n ${x}""#),
        ] {
            let shown = parse_template(text, FileId(0)).map(|expression| written(&expression));
            assert_eq!(shown.as_deref(), Ok(expected), "{text}");
        }
        assert!(parse_template("${", FileId(0)).is_err());
        assert!(parse_template("%{ if x }", FileId(0)).is_err());
    }
}
