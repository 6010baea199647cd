//! The keywords of the language, and the words of the standard that stand for what is not supported. Apart, because lexer
//! and parser both ask for them.

use honeyplant_core::settings::Problem;

/// What cannot be a name (§6.1.3), as far as it has a meaning here.
const KEYWORDS: &[&str] = &[
    "AND",
    "ARRAY",
    "AT",
    "BY",
    "CASE",
    "CONSTANT",
    "CONTINUE",
    "DO",
    "ELSE",
    "ELSIF",
    "END_CASE",
    "END_FOR",
    "END_FUNCTION",
    "END_FUNCTION_BLOCK",
    "END_IF",
    "END_PROGRAM",
    "END_REPEAT",
    "END_STRUCT",
    "END_TYPE",
    "END_VAR",
    "END_WHILE",
    "EXIT",
    "FALSE",
    "FOR",
    "FUNCTION",
    "FUNCTION_BLOCK",
    "IF",
    "MOD",
    "NON_RETAIN",
    "NOT",
    "OF",
    "OR",
    "PROGRAM",
    "REPEAT",
    "RETAIN",
    "RETURN",
    "STRUCT",
    "THEN",
    "TO",
    "TRUE",
    "TYPE",
    "UNTIL",
    "VAR",
    "VAR_EXTERNAL",
    "VAR_GLOBAL",
    "VAR_INPUT",
    "VAR_IN_OUT",
    "VAR_OUTPUT",
    "VAR_TEMP",
    "WHILE",
    "XOR",
];

/// What opens a unit.
pub(super) const UNITS: &[&str] = &["PROGRAM", "FUNCTION", "FUNCTION_BLOCK"];

/// What opens a section of declarations.
pub(super) const SECTIONS: &[&str] =
    &["VAR", "VAR_TEMP", "VAR_INPUT", "VAR_OUTPUT", "VAR_IN_OUT", "VAR_GLOBAL", "VAR_EXTERNAL"];

/// What begins a statement.
pub(super) const STARTERS: &[&str] = &["IF", "CASE", "FOR", "WHILE", "REPEAT", "EXIT", "CONTINUE", "RETURN"];

/// The keyword that `word` is, in capitals.
pub(super) fn keyword(word: &str) -> Option<&'static str> {
    KEYWORDS.iter().find(|keyword| keyword.eq_ignore_ascii_case(word)).copied()
}

/// Whether no statement goes on behind `key`: an END, another arm, or something that is no statement at all.
pub(super) fn ends_statements(key: &str) -> bool {
    key.starts_with("END_") || matches!(key, "ELSE" | "ELSIF" | "UNTIL" | "TYPE") || UNITS.contains(&key)
}

/// Something of the standard, or of a vendor, that is not supported.
pub(super) struct Unsupported {
    word: &'static str,
    /// What it ends with; without one it ends with a semicolon.
    pub(super) end: Option<&'static str>,
    instead: &'static str,
}

impl Unsupported {
    /// The complaint about it.
    pub(super) fn problem(&self) -> Problem {
        Problem::new("", format!("{} is not supported", self.word)).hint(self.instead)
    }
}

const fn unsupported(word: &'static str, end: Option<&'static str>, instead: &'static str) -> Unsupported {
    Unsupported { word, end, instead }
}

const OBJECTS: &str = "write a FUNCTION_BLOCK or a FUNCTION";
const CONFIGURATION: &str = "the profile says how often the program is scanned; VAR_GLOBAL may stand by itself";
const CHART: &str = "write the steps as CASE over a state variable";
const LOCATION: &str = "give the variable its address where it is declared: x AT %MW10 : INT;";

/// What stands where a unit could stand, or in one before its statements.
static OUTSIDE: &[Unsupported] = &[
    unsupported("CONFIGURATION", Some("END_CONFIGURATION"), CONFIGURATION),
    unsupported("RESOURCE", Some("END_RESOURCE"), CONFIGURATION),
    unsupported("TASK", None, CONFIGURATION),
    unsupported("CLASS", Some("END_CLASS"), OBJECTS),
    unsupported("INTERFACE", Some("END_INTERFACE"), OBJECTS),
    unsupported("METHOD", Some("END_METHOD"), OBJECTS),
    unsupported("PROPERTY", Some("END_PROPERTY"), OBJECTS),
    unsupported("NAMESPACE", Some("END_NAMESPACE"), "all names of a program stand in one space"),
    unsupported("USING", None, "all names of a program stand in one space"),
    unsupported("ACTION", Some("END_ACTION"), "write a FUNCTION_BLOCK"),
    unsupported("VAR_ACCESS", Some("END_VAR"), "what other devices may reach is said in the profile"),
    unsupported("VAR_CONFIG", Some("END_VAR"), LOCATION),
    unsupported("VAR_STAT", Some("END_VAR"), "declare it in VAR of a FUNCTION_BLOCK"),
    unsupported("VAR_INST", Some("END_VAR"), "declare it in VAR of a FUNCTION_BLOCK"),
    unsupported("ORGANIZATION_BLOCK", Some("END_ORGANIZATION_BLOCK"), "write PROGRAM"),
    unsupported("DATA_BLOCK", Some("END_DATA_BLOCK"), "declare variables with an address: x AT %DB1.DBW0 : INT;"),
    unsupported("INITIAL_STEP", Some("END_STEP"), CHART),
    unsupported("STEP", Some("END_STEP"), CHART),
    unsupported("TRANSITION", Some("END_TRANSITION"), CHART),
];

/// What stands where a statement could stand.
static INSIDE: &[Unsupported] = &[
    unsupported("INITIAL_STEP", Some("END_STEP"), CHART),
    unsupported("STEP", Some("END_STEP"), CHART),
    unsupported("TRANSITION", Some("END_TRANSITION"), CHART),
    unsupported("ACTION", Some("END_ACTION"), "write a FUNCTION_BLOCK"),
    unsupported("METHOD", Some("END_METHOD"), OBJECTS),
    unsupported("GOTO", None, "write IF, CASE or a loop"),
    unsupported("JMP", None, "write IF, CASE or a loop"),
];

/// What stands where a type could stand.
static TYPES: &[Unsupported] = &[
    unsupported("WSTRING", None, "write STRING"),
    unsupported("CHAR", None, "write STRING[1]"),
    unsupported("WCHAR", None, "write STRING[1]"),
    unsupported("REF_TO", None, "hand the variable over as VAR_IN_OUT"),
    unsupported("REFERENCE", None, "hand the variable over as VAR_IN_OUT"),
    unsupported("POINTER", None, "hand the variable over as VAR_IN_OUT"),
    unsupported("R_EDGE", None, "call an instance of R_TRIG"),
    unsupported("F_EDGE", None, "call an instance of F_TRIG"),
    unsupported("OVERLAP", None, "give the variables addresses that overlap"),
];

fn find(word: &str, among: &'static [Unsupported]) -> Option<&'static Unsupported> {
    among.iter().find(|unsupported| unsupported.word.eq_ignore_ascii_case(word))
}

pub(super) fn unsupported_outside(word: &str) -> Option<&'static Unsupported> {
    find(word, OUTSIDE)
}

pub(super) fn unsupported_inside(word: &str) -> Option<&'static Unsupported> {
    find(word, INSIDE)
}

pub(super) fn unsupported_type(word: &str) -> Option<&'static Unsupported> {
    find(word, TYPES)
}

/// Whether `word` is an operator of Instruction List (table 67).
pub(super) fn is_instruction(word: &str) -> bool {
    const INSTRUCTIONS: &[&str] = &[
        "LD", "LDN", "ST", "STN", "S", "R", "ANDN", "ORN", "XORN", "ADD", "SUB", "MUL", "DIV", "GT", "GE", "EQ", "NE",
        "LE", "LT", "JMP", "JMPC", "JMPCN", "CAL", "CALC", "CALCN", "RET", "RETC", "RETCN",
    ];
    INSTRUCTIONS.iter().any(|instruction| instruction.eq_ignore_ascii_case(word))
}
