//! The words of a `$filter`.

use std::fmt;

use super::filter::{Literal, Operator, malformed};
use crate::error::Error;

/// One word of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    Literal(Literal),
    /// A property, an operator or a name that stands before brackets.
    Word(&'a str),
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("("),
            Self::Close => f.write_str(")"),
            Self::Literal(literal) => literal.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Number(number) => number.fmt(f),
            Self::Boolean(boolean) => boolean.fmt(f),
            Self::Null => f.write_str("null"),
        }
    }
}

/// Takes an expression apart, one word ahead.
pub(super) struct Lexer<'a> {
    text: &'a str,
    rest: &'a str,
    ahead: Option<Token<'a>>,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            rest: text,
            ahead: None,
        }
    }

    /// The error of an expression without the right form.
    pub(super) fn malformed(&self, why: &str) -> Error {
        malformed(self.text, why)
    }

    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, Error> {
        match self.ahead.take() {
            Some(token) => Ok(Some(token)),
            None => self.read(),
        }
    }

    pub(super) fn peek(&mut self) -> Result<Option<&Token<'a>>, Error> {
        if self.ahead.is_none() {
            self.ahead = self.read()?;
        }
        Ok(self.ahead.as_ref())
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, wanted: &Token<'_>) -> Result<bool, Error> {
        let found = self.peek()? == Some(wanted);
        if found {
            self.ahead = None;
        }
        Ok(found)
    }

    pub(super) fn take_word(&mut self, wanted: &str) -> Result<bool, Error> {
        self.take(&Token::Word(wanted))
    }

    pub(super) fn take_operator(&mut self) -> Result<Option<Operator>, Error> {
        for (word, operator) in Operator::ALL {
            if self.take_word(word)? {
                return Ok(Some(operator));
            }
        }
        Ok(None)
    }

    fn read(&mut self) -> Result<Option<Token<'a>>, Error> {
        self.rest = self.rest.trim_start_matches(' ');
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        match first {
            '(' => Ok(Some(self.cut(1, Token::Open))),
            ')' => Ok(Some(self.cut(1, Token::Close))),
            '\'' => self.text().map(Some),
            _ => self.word().map(Some),
        }
    }

    fn cut(&mut self, length: usize, token: Token<'a>) -> Token<'a> {
        self.rest = &self.rest[length..];
        token
    }

    /// Text in single quotes; a quote inside stands twice.
    fn text(&mut self) -> Result<Token<'a>, Error> {
        let mut text = String::new();
        let mut rest = &self.rest[1..];
        loop {
            let Some((part, after)) = rest.split_once('\'') else {
                return Err(self.malformed("Close every quote; a quote inside of text is doubled."));
            };
            text.push_str(part);
            match after.strip_prefix('\'') {
                Some(after) => {
                    text.push('\'');
                    rest = after;
                }
                None => {
                    self.rest = after;
                    return Ok(Token::Literal(Literal::Text(text)));
                }
            }
        }
    }

    /// A property, a key word or a number.
    fn word(&mut self) -> Result<Token<'a>, Error> {
        let belongs = |c: char| c.is_ascii_alphanumeric() || "_@.#/-+".contains(c);
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let token = match word {
            "true" => Token::Literal(Literal::Boolean(true)),
            "false" => Token::Literal(Literal::Boolean(false)),
            "null" => Token::Literal(Literal::Null),
            _ if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                // The numbers of JSON: OData writes them alike.
                let number = serde_json::from_str(word).ok();
                let why = "Write a number as 12, -3.5 or 1e6.";
                let number = number.ok_or_else(|| self.malformed(why))?;
                Token::Literal(Literal::Number(number))
            }
            _ if word.is_empty() || word.split('/').any(|name| !is_name(name)) => {
                let why = "Use names with slashes between them, literals, brackets, and the words \
                           eq, ne, gt, ge, lt, le, and, or, not.";
                return Err(self.malformed(why));
            }
            _ => Token::Word(word),
        };
        self.rest = rest;
        Ok(token)
    }
}

/// Whether it can be the name of a property or an annotation.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.starts_with('-')
}
