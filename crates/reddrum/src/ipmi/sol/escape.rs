//! What an operator types for the console itself: `~` at the beginning of a line, and a letter.

/// The character that begins an escape, at the beginning of a line.
const ESCAPE: u8 = b'~';

/// What `~?` prints.
pub(super) const HELP: &str = "\
~.   end
~B   send a break
~^Z  suspend (Ctrl-Z)
~~   send ~
~?   this text
An escape counts at the beginning of a line only.
";

/// What an escape asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Leave the console.
    End,
    /// Send a break over the serial line.
    Break,
    /// Suspend the program.
    Suspend,
    /// Say which escapes there are.
    Help,
}

/// What a typed character leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Nothing yet.
    Nothing,
    /// It is for the machine.
    Character(u8),
    /// The escape character, which was held back, and this one are for the machine.
    Escaped(u8),
    /// It is for the console.
    Wish(Wish),
}

/// Where in a line the operator is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Beginning,
    Middle,
    /// Behind an escape character at the beginning.
    Escape,
}

/// Finds escapes in what is typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escapes {
    place: Place,
    enabled: bool,
}

impl Escapes {
    /// At the beginning of a line; without `enabled` every character is for the machine.
    pub(super) fn new(enabled: bool) -> Self {
        Self {
            place: Place::default(),
            enabled,
        }
    }

    /// Takes the next character.
    pub(super) fn push(&mut self, character: u8) -> Typed {
        if !self.enabled {
            return Typed::Character(character);
        }
        let place = self.place;
        self.place = match character {
            b'\r' | b'\n' => Place::Beginning,
            ESCAPE if place == Place::Beginning => Place::Escape,
            _ => Place::Middle,
        };
        match (place, character) {
            (Place::Beginning, ESCAPE) => Typed::Nothing,
            (Place::Escape, ESCAPE) => Typed::Character(ESCAPE),
            (Place::Escape, _) => {
                let wish = match character {
                    b'.' => Wish::End,
                    b'B' => Wish::Break,
                    0x1a => Wish::Suspend,
                    b'?' => Wish::Help,
                    _ => return Typed::Escaped(character),
                };
                self.place = Place::Beginning;
                Typed::Wish(wish)
            }
            _ => Typed::Character(character),
        }
    }

    /// The escape character itself.
    pub(super) const fn character() -> u8 {
        ESCAPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What arrives at the machine, and what is asked of the console.
    fn typed(text: &[u8], enabled: bool) -> (Vec<u8>, Vec<Wish>) {
        let mut escapes = Escapes::new(enabled);
        let (mut sent, mut wishes) = (Vec::new(), Vec::new());
        for character in text {
            match escapes.push(*character) {
                Typed::Nothing => {}
                Typed::Character(character) => sent.push(character),
                Typed::Escaped(character) => sent.extend([ESCAPE, character]),
                Typed::Wish(wish) => wishes.push(wish),
            }
        }
        (sent, wishes)
    }

    #[test]
    fn escapes_count_at_the_beginning_of_a_line_only() {
        assert_eq!(typed(b"~.", true), (vec![], vec![Wish::End]));
        assert_eq!(
            typed(b"ls ~.\r~?~B", true),
            (b"ls ~.\r".to_vec(), vec![Wish::Help, Wish::Break])
        );
        assert_eq!(typed(b"\n~\x1a", true).1, [Wish::Suspend]);
    }

    #[test]
    fn what_is_no_escape_arrives_as_it_was_typed() {
        assert_eq!(typed(b"~~.", true), (b"~.".to_vec(), vec![]));
        assert_eq!(typed(b"~x~.", true), (b"~x~.".to_vec(), vec![]));
        assert_eq!(typed(b"~\r~.", true), (b"~\r".to_vec(), vec![Wish::End]));
        assert_eq!(typed(b"~.\n~B", false), (b"~.\n~B".to_vec(), vec![]));
    }
}
