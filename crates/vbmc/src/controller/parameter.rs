//! Configuration parameters as IPMI has them everywhere: numbered, some with sets and blocks, some read-only, guarded by
//! "set in progress".

use std::collections::BTreeMap;

use ipmi::number::CompletionCode;

/// Values that one configuration keeps, at most.
pub const PARAMETERS_MAX: usize = 256;
/// How long one console may hold a configuration while it writes several parameters, in seconds.
pub const WRITING_S: u64 = 60;

/// No such parameter.
const NOT_SUPPORTED: CompletionCode = CompletionCode(0x80);
/// Another console writes.
const SET_IN_PROGRESS: CompletionCode = CompletionCode(0x81);
/// The parameter can't be written.
const READ_ONLY: CompletionCode = CompletionCode(0x82);
/// The parameter can't be read.
const WRITE_ONLY: CompletionCode = CompletionCode(0x83);

/// Who may do what with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody reads; nobody writes.
    ReadOnly,
    /// Read and written.
    ReadWrite,
    /// Written only: secrets.
    WriteOnly,
}

/// One parameter of a configuration.
#[derive(Clone, Copy, Debug)]
pub struct ParameterSpec {
    /// Number.
    pub number: u8,
    /// Who may do what.
    pub access: Access,
    /// How many selectors its data begins with: 0 none, 1 a set, 2 a set and a block.
    pub selectors: u8,
    /// The highest set that there is.
    pub set_max: u8,
    /// Bytes of its data with selectors, at least and at most.
    pub len: (u8, u8),
    /// Its data without selectors as it comes from the factory; what is missing is 0.
    pub factory: &'static [u8],
}

impl ParameterSpec {
    /// A parameter without selectors.
    #[must_use]
    pub const fn plain(number: u8, len: u8, factory: &'static [u8]) -> Self {
        Self {
            number,
            access: Access::ReadWrite,
            selectors: 0,
            set_max: 0,
            len: (len, len),
            factory,
        }
    }

    /// A parameter whose data begins with a set selector; `len` counts it.
    #[must_use]
    pub const fn sets(number: u8, set_max: u8, len: u8, factory: &'static [u8]) -> Self {
        Self {
            selectors: 1,
            set_max,
            ..Self::plain(number, len, factory)
        }
    }

    /// A parameter whose data begins with a set and a block selector; `len` counts them.
    #[must_use]
    pub const fn blocks(number: u8, set_max: u8, len: u8) -> Self {
        let spec = Self {
            selectors: 2,
            set_max,
            ..Self::plain(number, len, &[])
        };
        Self {
            len: (3, len),
            ..spec
        }
    }

    /// The same, read-only.
    #[must_use]
    pub const fn read_only(self) -> Self {
        Self {
            access: Access::ReadOnly,
            ..self
        }
    }

    /// The same, write-only.
    #[must_use]
    pub const fn write_only(self) -> Self {
        Self {
            access: Access::WriteOnly,
            ..self
        }
    }
}

/// What was set of a configuration. Everything else is as it comes from the factory.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    values: BTreeMap<(u8, u8, u8), Vec<u8>>,
    /// Somebody writes several parameters, until this second at most.
    writing_until_s: Option<u64>,
}

impl Parameters {
    /// What was set.
    #[must_use]
    pub fn get(&self, number: u8, set: u8, block: u8) -> Option<&[u8]> {
        self.values.get(&(number, set, block)).map(Vec::as_slice)
    }

    /// Sets a value; nothing where there is no room.
    ///
    /// # Errors
    /// [`CompletionCode::OUT_OF_SPACE`].
    pub fn put(
        &mut self,
        (number, set, block): (u8, u8, u8),
        data: &[u8],
    ) -> Result<(), CompletionCode> {
        let key = (number, set, block);
        if self.values.len() >= PARAMETERS_MAX && !self.values.contains_key(&key) {
            return Err(CompletionCode::OUT_OF_SPACE);
        }
        self.values.insert(key, data.to_vec());
        Ok(())
    }

    fn is_writing(&self, now_s: u64) -> bool {
        self.writing_until_s.is_some_and(|until_s| now_s < until_s)
    }

    fn set_in_progress(&mut self, now_s: u64, data: &[u8]) -> Result<(), CompletionCode> {
        match data {
            [0] => self.writing_until_s = None,
            [1] if self.is_writing(now_s) => return Err(SET_IN_PROGRESS),
            [1] => self.writing_until_s = Some(now_s + WRITING_S),
            // "Commit write" is for BMCs that can roll back.
            [_] => return Err(CompletionCode::INVALID_DATA_FIELD),
            _ => return Err(CompletionCode::REQUEST_LENGTH_INVALID),
        }
        Ok(())
    }
}

/// Writes a parameter that `specs` describe; parameter 0 is "set in progress".
///
/// # Errors
/// 80h to 82h as the commands have it, C7h for a wrong length, C9h for a set that there isn't.
pub fn write_parameter(
    parameters: &mut Parameters,
    specs: &[ParameterSpec],
    now_s: u64,
    number: u8,
    data: &[u8],
) -> Result<(), CompletionCode> {
    if number == 0 {
        return parameters.set_in_progress(now_s, data);
    }
    let spec = specs.iter().find(|spec| spec.number == number);
    let spec = spec.ok_or(NOT_SUPPORTED)?;
    if spec.access == Access::ReadOnly {
        return Err(READ_ONLY);
    }
    let (least, most) = spec.len;
    if !(usize::from(least)..=usize::from(most)).contains(&data.len()) {
        return Err(CompletionCode::REQUEST_LENGTH_INVALID);
    }
    let at = |index: u8| {
        let has = spec.selectors > index;
        if has {
            data.get(usize::from(index)).copied()
        } else {
            None
        }
    };
    let (set, block) = (at(0).unwrap_or(0), at(1).unwrap_or(0));
    if set > spec.set_max {
        return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
    }
    parameters.put((number, set, block), &data[usize::from(spec.selectors)..])
}

/// Reads a parameter that `specs` describe, with its selectors.
///
/// # Errors
/// 80h where there is no such parameter, 83h where it can't be read, C9h for a set that there isn't.
pub fn read_parameter(
    parameters: &Parameters,
    specs: &[ParameterSpec],
    now_s: u64,
    (number, set, block): (u8, u8, u8),
) -> Result<Vec<u8>, CompletionCode> {
    if number == 0 {
        return Ok(vec![parameters.is_writing(now_s).into()]);
    }
    let spec = specs.iter().find(|spec| spec.number == number);
    let spec = spec.ok_or(NOT_SUPPORTED)?;
    if spec.access == Access::WriteOnly {
        return Err(WRITE_ONLY);
    }
    if set > spec.set_max {
        return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
    }
    let (set, block) = match spec.selectors {
        0 => (0, 0),
        1 => (set, 0),
        _ => (set, block),
    };
    let mut data = [set, block][..spec.selectors.into()].to_vec();
    match parameters.get(number, set, block) {
        Some(value) => data.extend(value),
        None => {
            data.extend(spec.factory);
            data.resize(usize::from(spec.len.1).max(data.len()), 0);
        }
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: [ParameterSpec; 4] = [
        ParameterSpec::plain(1, 2, &[7]),
        ParameterSpec::sets(2, 3, 3, &[9, 9]),
        ParameterSpec::plain(3, 1, &[5]).read_only(),
        ParameterSpec::blocks(4, 2, 18),
    ];

    #[test]
    fn what_was_not_set_is_as_from_the_factory_and_what_was_stays() {
        let mut parameters = Parameters::default();
        let read = |p: &Parameters, key| read_parameter(p, &SPECS, 0, key);
        assert_eq!(read(&parameters, (1, 0, 0)), Ok(vec![7, 0]));
        assert_eq!(read(&parameters, (2, 3, 0)), Ok(vec![3, 9, 9]));
        write_parameter(&mut parameters, &SPECS, 0, 1, &[1, 2]).unwrap();
        write_parameter(&mut parameters, &SPECS, 0, 2, &[3, 1, 2]).unwrap();
        write_parameter(&mut parameters, &SPECS, 0, 4, b"\x01\x02text").unwrap();
        assert_eq!(read(&parameters, (1, 0, 0)), Ok(vec![1, 2]));
        assert_eq!(read(&parameters, (2, 3, 0)), Ok(vec![3, 1, 2]));
        assert_eq!(read(&parameters, (2, 2, 0)), Ok(vec![2, 9, 9]));
        assert_eq!(read(&parameters, (4, 1, 2)), Ok(b"\x01\x02text".to_vec()));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_own_code() {
        let mut parameters = Parameters::default();
        let mut write = |number, data: &[u8]| {
            write_parameter(&mut parameters, &SPECS, 0, number, data).unwrap_err()
        };
        assert_eq!(write(9, &[0]), NOT_SUPPORTED);
        assert_eq!(write(3, &[0]), READ_ONLY);
        assert_eq!(write(1, &[0]), CompletionCode::REQUEST_LENGTH_INVALID);
        assert_eq!(write(2, &[4, 0, 0]), CompletionCode::PARAMETER_OUT_OF_RANGE);
        assert_eq!(write(0, &[2]), CompletionCode::INVALID_DATA_FIELD);
    }

    #[test]
    fn one_console_writes_at_a_time_until_it_is_done_or_too_slow() {
        let mut parameters = Parameters::default();
        let mut set = |now_s, value| write_parameter(&mut parameters, &SPECS, now_s, 0, &[value]);
        assert_eq!(set(10, 1), Ok(()));
        assert_eq!(set(11, 1), Err(SET_IN_PROGRESS));
        assert_eq!(set(12, 0), Ok(()));
        assert_eq!(set(13, 1), Ok(()));
        assert_eq!(set(13 + WRITING_S, 1), Ok(()));
    }
}
