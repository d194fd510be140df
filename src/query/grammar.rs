//! The grammar: `or` binds loosest, then `and` (a blank means `and`), then `not`.
//!
//! Two rules are unusual: adjacent bare words of one kind are alternatives, and adjacent state words form one set.
//! Names are not looked up here.

use std::sync::Arc;

use super::bare_words::BareWords;
use super::error::{FilterError, Span};
use super::expr::{Expr, OwnerField, Predicate};
use super::field::Field;
use super::lexer::{Comparison, Token, TokenKind, Word, tokens};
use super::mode::Mode;
use super::operand::{Operand, Reader, state_set};
use super::subject::{Subject, nearest_field};
use super::word::{WordKind, alternatives, bare_word};
use crate::model::StateSet;

/// How a list is written.
const LIST: &str = "use 'in' for a list, as in sport in (80, 443)";
/// Maximum nesting depth of parentheses.
const MAX_DEPTH: usize = 100;

/// Parses a filter, which may be empty. Returns the tree and what its bare words are.
pub(super) fn read(text: &Arc<str>, mode: Mode) -> Result<(Expr, BareWords), FilterError> {
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        mode,
        words: BareWords::default(),
    };
    let expr = match parser.kind() {
        TokenKind::End => Expr::Constant(true),
        _ => parser.or()?,
    };
    match parser.kind() {
        TokenKind::End => Ok((expr, parser.words)),
        _ => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    text: &'a Arc<str>,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    mode: Mode,
    words: BareWords,
}

/// One member of a conjunction.
struct Item {
    /// Preceded only by a blank (or, between bare words, a comma).
    glued: bool,
    content: Content,
}

enum Content {
    /// A bare state word, `state X` or `exclude X`.
    States { exclude: bool, set: StateSet },
    /// Another bare word.
    Bare(WordKind, Expr),
    /// Anything else.
    Other(Expr),
}

impl Content {
    fn into_expr(self) -> Expr {
        match self {
            Self::States { exclude, set } => Expr::Is(Predicate::States(set)).negated_if(exclude),
            Self::Bare(_, expr) | Self::Other(expr) => expr,
        }
    }
}

/// Joins a conjunction. Adjacent bare words of one kind are alternatives; state words form one set, as in ss, up to an
/// explicit `and`.
fn combine(items: Vec<Item>) -> Expr {
    let mut parts = Vec::new();
    let mut run = (None, Vec::new());
    let mut states: Option<StateSet> = None;
    for Item { glued, content } in items {
        let kind = match &content {
            Content::Bare(kind, _) => Some(*kind),
            _ => None,
        };
        let goes_on = glued && kind.is_some() && kind == run.0;
        if !goes_on && !run.1.is_empty() {
            parts.push(alternatives(std::mem::take(&mut run.1)));
        }
        run.0 = kind;
        if !glued {
            parts.extend(states.take().map(|set| Expr::Is(Predicate::States(set))));
        }
        match content {
            Content::States { exclude: false, set } => states = Some(states.map_or(set, |it| it.union(set))),
            Content::States { exclude: true, set } => {
                states = Some(states.unwrap_or(StateSet::ALL).without(set));
            }
            Content::Bare(_, expr) => run.1.push(expr),
            Content::Other(expr) => parts.push(expr),
        }
    }
    if !run.1.is_empty() {
        parts.push(alternatives(run.1));
    }
    parts.extend(states.map(|set| Expr::Is(Predicate::States(set))));
    Expr::and(parts)
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.and()?];
        while self.take(&TokenKind::Or) {
            parts.push(self.and()?);
        }
        Ok(alternatives(parts))
    }

    fn and(&mut self) -> Result<Expr, FilterError> {
        let mut items = vec![self.item(true)?];
        loop {
            let bare = items
                .last()
                .is_some_and(|item| !matches!(item.content, Content::Other(_)));
            let glued = match self.kind() {
                TokenKind::And => false,
                TokenKind::Comma if bare => true,
                TokenKind::Comma | TokenKind::Or | TokenKind::Close | TokenKind::End => break,
                _ => {
                    items.push(self.item(true)?);
                    continue;
                }
            };
            self.at += 1;
            items.push(self.item(glued)?);
        }
        Ok(combine(items))
    }

    fn item(&mut self, glued: bool) -> Result<Item, FilterError> {
        let mut negated = false;
        let mut any = false;
        while self.take(&TokenKind::Not) {
            negated = !negated;
            any = true;
        }
        let content = self.primary()?;
        let content = if any {
            Content::Other(content.into_expr().negated_if(negated))
        } else {
            content
        };
        Ok(Item { glued, content })
    }

    fn primary(&mut self) -> Result<Content, FilterError> {
        match self.kind() {
            TokenKind::Open => self.parentheses().map(Content::Other),
            TokenKind::Word(word) => {
                let word = word.clone();
                self.word(&word)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn parentheses(&mut self) -> Result<Expr, FilterError> {
        let open = self.span();
        if self.depth >= MAX_DEPTH {
            let message = format!("parentheses are nested more than {MAX_DEPTH} deep");
            return Err(self.error(open, message, "simplify the filter"));
        }
        self.at += 1;
        self.depth += 1;
        let expr = self.or()?;
        self.depth -= 1;
        if !self.take(&TokenKind::Close) {
            if *self.kind() == TokenKind::End {
                return Err(self.error(open, "unclosed parenthesis", "missing )"));
            }
            return Err(self.unexpected());
        }
        Ok(expr)
    }

    fn word(&mut self, word: &Word) -> Result<Content, FilterError> {
        let span = self.span();
        if let Some((comparison, length)) = self.comparison_at(self.at + 1) {
            self.at += 1 + length;
            return self.comparison(word, span, comparison).map(Content::Other);
        }
        let operand = Operand {
            word: word.clone(),
            span,
        };
        if word.quoted {
            return self.bare(&operand);
        }
        match word.raw.as_str() {
            "state" => self.state(false),
            "exclude" | "excl" => self.state(true),
            "has" if self.kind_at(self.at + 1) == &TokenKind::Open => self.has().map(Content::Other),
            "autobound" => {
                self.at += 1;
                Ok(Content::Other(Expr::Is(Predicate::Autobound(None))))
            }
            name => {
                if let Some(subject) = Subject::from_keyword(name) {
                    self.at += 1;
                    let operands = [self.operand(name)?];
                    let reader = Reader {
                        text: self.text,
                        subject,
                        name,
                    };
                    return reader.read(Comparison::Equal, &operands).map(Content::Other);
                }
                if Comparison::from_word(word).is_some() {
                    let message = format!("missing field before '{name}'");
                    return Err(self.error(operand.span, message, "as in recv_q gt 0"));
                }
                if Subject::from_name(name).is_some_and(Subject::is_no_bare_word) {
                    let message = format!("missing comparison after '{name}'");
                    let hint = match self.kind_at(self.at + 1) {
                        TokenKind::Word(value) if !value.quoted => {
                            format!("did you mean '{name} = {}'?", value.raw)
                        }
                        _ => format!("as in {name} = X; for a program of that name, process = {name}"),
                    };
                    return Err(self.error(operand.span, message, hint));
                }
                self.bare(&operand)
            }
        }
    }

    fn bare(&mut self, operand: &Operand) -> Result<Content, FilterError> {
        self.at += 1;
        let (kind, expr) = bare_word(self.text, operand, self.mode)?;
        Ok(match expr {
            Expr::Is(Predicate::States(set)) => {
                self.words.has_state = true;
                Content::States { exclude: false, set }
            }
            expr => {
                if kind == WordKind::Program && !operand.word.quoted {
                    self.words.programs.push(operand.word.text());
                }
                Content::Bare(kind, expr)
            }
        })
    }

    fn state(&mut self, exclude: bool) -> Result<Content, FilterError> {
        self.at += 1;
        let operand = self.operand("state")?;
        let set = state_set(self.text, &operand)?;
        Ok(Content::States { exclude, set })
    }

    fn has(&mut self) -> Result<Expr, FilterError> {
        self.at += 2;
        let operand = self.operand("has")?;
        if !self.take(&TokenKind::Close) {
            return Err(self.error(self.span(), "expected ) after the field", "as in has(user)"));
        }
        let name = operand.word.text();
        let subject = Subject::from_name(&name).ok_or_else(|| self.unknown_field(&name, operand.span))?;
        Ok(Expr::Is(match subject {
            Subject::Owner(field) => Predicate::OwnerHas(field),
            Subject::Field(Field::Owners) => Predicate::OwnerHas(OwnerField::Pid),
            Subject::Field(field) => Predicate::Has(field),
            Subject::Port(end) => Predicate::Has(end.port_field()),
            Subject::End(end) => Predicate::Has(end.address_field()),
        }))
    }

    fn comparison(&mut self, word: &Word, span: Span, comparison: Comparison) -> Result<Expr, FilterError> {
        let name = word.text();
        let Some(subject) = Subject::from_name(&name) else {
            return Err(self.unknown_field(&name, span));
        };
        let operands = match comparison {
            Comparison::In | Comparison::NotIn => self.list()?,
            _ => vec![self.operand(&name)?],
        };
        Reader {
            text: self.text,
            subject,
            name: &name,
        }
        .read(comparison, &operands)
    }

    /// `( A, B C )`: commas or blanks separate the members.
    fn list(&mut self) -> Result<Vec<Operand>, FilterError> {
        let open = self.span();
        if !self.take(&TokenKind::Open) {
            return Err(self.error(
                open,
                "expected a list after 'in'",
                "as in local_port in (80, 8000-8100)",
            ));
        }
        let mut operands = Vec::new();
        while *self.kind() != TokenKind::Close {
            if *self.kind() == TokenKind::End {
                return Err(self.error(open, "unclosed list", "missing )"));
            }
            operands.push(self.operand("in")?);
            self.take(&TokenKind::Comma);
        }
        if operands.is_empty() {
            return Err(self.error(open.start..self.span().end, "the list is empty", ""));
        }
        self.at += 1;
        Ok(operands)
    }

    fn operand(&mut self, before: &str) -> Result<Operand, FilterError> {
        let span = self.span();
        if let TokenKind::Word(word) = self.kind() {
            let word = word.clone();
            self.at += 1;
            return Ok(Operand { word, span });
        }
        let hint = match self.kind() {
            TokenKind::Open => LIST,
            _ => "quote a value that contains operators or blanks",
        };
        Err(self.error(span, format!("missing value after '{before}'"), hint))
    }

    /// Returns the comparison operator at a token, and how many tokens it takes.
    fn comparison_at(&self, at: usize) -> Option<(Comparison, usize)> {
        match self.kind_at(at) {
            TokenKind::Compare(comparison) => Some((*comparison, 1)),
            TokenKind::Word(word) => Comparison::from_word(word).map(|comparison| (comparison, 1)),
            TokenKind::Not => match self.kind_at(at + 1) {
                TokenKind::Word(word) => match Comparison::from_word(word)? {
                    Comparison::Like => Some((Comparison::Unlike, 2)),
                    Comparison::In => Some((Comparison::NotIn, 2)),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    fn kind_at(&self, at: usize) -> &TokenKind {
        self.tokens.get(at).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn kind(&self) -> &TokenKind {
        self.kind_at(self.at)
    }

    fn span(&self) -> Span {
        let end = self.text.len()..self.text.len();
        self.tokens.get(self.at).map_or(end, |token| token.span.clone())
    }

    fn take(&mut self, kind: &TokenKind) -> bool {
        let there = self.kind() == kind;
        self.at += usize::from(there);
        there
    }

    fn unknown_field(&self, name: &str, span: Span) -> FilterError {
        let hint = match nearest_field(name) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "run 'sockstat columns' for the fields".to_owned(),
        };
        self.error(span, format!("unknown field '{name}'"), hint)
    }

    fn unexpected(&self) -> FilterError {
        let span = self.span();
        let shown = self.text.get(span.clone()).unwrap_or_default();
        match self.kind() {
            TokenKind::End => self.error(span, "the filter ends too early", "missing condition"),
            TokenKind::Comma => self.error(span, "unexpected comma", LIST),
            TokenKind::Compare(_) => {
                let message = format!("missing field before '{shown}'");
                self.error(span, message, "as in recv_q > 0")
            }
            _ => self.error(span, format!("unexpected '{shown}'"), ""),
        }
    }

    fn error(&self, span: Span, message: impl Into<String>, hint: impl Into<String>) -> FilterError {
        FilterError::new(self.text, span, message, hint)
    }
}
