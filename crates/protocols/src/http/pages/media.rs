//! What a page is, by the end of its name. Apart, because it is a table.

/// The value of Content-Type by extension, and whether such files are text that may be a template.
const TYPES: &[(&str, &str)] = &[
    ("asp", "text/html"),
    ("aspx", "text/html"),
    ("bin", "application/octet-stream"),
    ("bmp", "image/bmp"),
    ("cgi", "text/html"),
    ("class", "application/java-vm"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("eot", "application/vnd.ms-fontobject"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("hex", "text/plain"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ico", "image/x-icon"),
    ("jar", "application/java-archive"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "application/javascript"),
    ("json", "application/json"),
    ("jsp", "text/html"),
    ("log", "text/plain"),
    ("map", "application/json"),
    ("mwsl", "text/html"),
    ("pdf", "application/pdf"),
    ("php", "text/html"),
    ("png", "image/png"),
    ("shtm", "text/html"),
    ("shtml", "text/html"),
    ("svg", "image/svg+xml"),
    ("swf", "application/x-shockwave-flash"),
    ("tar", "application/x-tar"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain"),
    ("wav", "audio/wav"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xhtml", "application/xhtml+xml"),
    ("xml", "text/xml"),
    ("xsl", "text/xml"),
    ("zip", "application/zip"),
];

/// What is sent when nothing is known.
pub(super) const UNKNOWN: &str = "application/octet-stream";

/// The extension of a path in small letters, if it has one.
pub(super) fn extension(path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase())
}

/// The type that everybody knows for an extension.
pub(super) fn usual(extension: &str) -> Option<&'static str> {
    TYPES.iter().find(|(known, _)| *known == extension).map(|(_, media)| *media)
}

/// Whether what is of this type is text, and so may be a template.
pub(super) fn is_text(media: &str) -> bool {
    let kind = essence(media);
    kind.starts_with("text/")
        || kind.ends_with("+xml")
        || matches!(kind.as_str(), "application/json" | "application/javascript" | "application/xml")
}

/// Whether what is put into it is escaped as HTML and XML need it.
pub(super) fn is_markup(media: &str) -> bool {
    let kind = essence(media);
    kind.ends_with("+xml") || kind.ends_with("/xml") || kind.ends_with("/html")
}

/// A type without its parameters, in small letters.
fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
