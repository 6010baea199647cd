//! The few sentences that a report begins with. Apart, because they are made of the facts alone, and each says one thing.

use super::{
    facts::{Facts, Moment, band},
    text::{count, number, times, when},
};

/// What was worst, and what is new.
pub(super) fn sentences(facts: &Facts) -> Vec<String> {
    let figures = &facts.figures;
    if figures.is_empty() {
        let before = facts.figures_before.sessions;
        let mut sentences = vec!["Nothing was recorded in this period.".to_owned()];
        if before > 0 {
            sentences.push(format!(
                "In the period before there were {}: see whether the site runs and can be reached.",
                count(before, "session", "sessions")
            ));
        }
        return sentences;
    }
    if figures.sessions == 0 {
        return vec!["Nobody came. The record has only what the site told of itself.".to_owned()];
    }
    let told = [visits(facts), gravest(facts), changes(facts), stops(facts), logins(facts), left(facts), new(facts)];
    told.into_iter().flatten().collect()
}

fn visits(facts: &Facts) -> Option<String> {
    let (figures, before) = (&facts.figures, &facts.figures_before);
    let devices: std::collections::BTreeSet<&str> = facts.services.iter().map(|s| &*s.device).collect();
    let who = count(figures.sources, "source", "sources");
    let what = count(figures.sessions, "session", "sessions");
    let at = count(devices.len() as u64, "device", "devices");
    let compared = if !facts.before_is_whole {
        "there is no record of all of the period before to compare with".to_owned()
    } else if before.sessions == 0 {
        "after a period without any".to_owned()
    } else {
        let (now, then) = (i128::from(figures.sessions), i128::from(before.sessions));
        match (now - then) * 100 / then {
            -5..=5 => "about as many as in the period before".to_owned(),
            more @ 6..=300 => format!("{more}\u{a0}% more than in the period before"),
            many if many > 300 => format!("{} times as many as in the period before", now / then),
            fewer => format!("{}\u{a0}% fewer than in the period before", -fewer),
        }
    };
    Some(format!("{who} opened {what} at {at}; {compared}."))
}

fn gravest(facts: &Facts) -> Option<String> {
    let session = facts.sessions.rows.first()?;
    let gravest: &Moment =
        session.timeline.iter().max_by_key(|moment| (moment.severity, std::cmp::Reverse(&moment.at)))?;
    let kind = match band(gravest.severity) {
        3 => "The gravest",
        2 => "The gravest, short of a change of the process",
        _ => "The gravest, and that was not grave",
    };
    Some(format!("{kind}: {}, {} (severity {} of 10).", when(&gravest.at), gravest.message, gravest.severity))
}

fn changes(facts: &Facts) -> Option<String> {
    let figures = &facts.figures;
    if figures.writes == 0 && figures.commands == 0 {
        return Some("Nobody tried to change the process: no value was written and no command was given.".into());
    }
    let effect = |tried: u64, done: u64| match done {
        0 => "without effect".to_owned(),
        all if all == tried => "with effect".to_owned(),
        some => format!("{} of them with effect", number(some)),
    };
    let mut parts = Vec::new();
    if figures.writes > 0 {
        let effect = effect(figures.writes, figures.writes_done);
        parts.push(format!("values were written {} ({effect})", times(figures.writes)));
    }
    if figures.commands > 0 {
        let effect = effect(figures.commands, figures.commands_done);
        parts.push(format!("commands were given {} ({effect})", times(figures.commands)));
    }
    let sentence = parts.join(", and ");
    let mut letters = sentence.chars();
    Some(letters.next()?.to_uppercase().chain(letters).collect::<String>() + ".")
}

fn stops(facts: &Facts) -> Option<String> {
    let done: Vec<_> = facts.commands.rows.iter().filter(|command| command.outcome == "success").collect();
    let stopped = |what: &str| done.iter().filter(|command| command.what == what).map(|c| c.times).sum::<u64>();
    let (stops, restarts, loads) = (stopped("stop"), stopped("restart"), stopped("download block"));
    let mut parts = Vec::new();
    for (many, what) in [(stops, "stopped"), (restarts, "restarted"), (loads, "loaded with a block of program")] {
        if many > 0 {
            parts.push(format!("{what} {}", times(many)));
        }
    }
    (!parts.is_empty()).then(|| format!("Controllers were {}.", parts.join(" and ")))
}

fn logins(facts: &Facts) -> Option<String> {
    let figures = &facts.figures;
    let most = facts.logins.rows.first()?;
    let shown = |text: &Option<String>| text.clone().unwrap_or_default();
    let what = match (&most.user, &most.secret) {
        (None, Some(secret)) => format!("“{secret}”"),
        (user, secret) => format!("“{}” with “{}”", shown(user), shown(secret)),
    };
    let let_in = match figures.logins_accepted {
        0 => "nobody was let in".to_owned(),
        many => format!("{} let in", if many == 1 { "one was".to_owned() } else { format!("{} were", number(many)) }),
    };
    Some(format!("{} tried, {let_in}; most often {what}.", count(figures.logins, "login was", "logins were")))
}

fn left(facts: &Facts) -> Option<String> {
    let many = facts.figures.artefacts;
    let new = facts.artefacts.rows.iter().filter(|artefact| artefact.new).count();
    let known = if new == 0 { "none of them" } else { "new ones are marked below, and they are kept" };
    match many {
        0 => None,
        _ if new == 0 => {
            Some(format!("{} left or sent, {known} for the first time.", count(many, "file was", "files were")))
        }
        _ => Some(format!("{} left or sent; {known}.", count(many, "file was", "files were"))),
    }
}

fn new(facts: &Facts) -> Option<String> {
    let figures = &facts.figures;
    let mut parts = Vec::new();
    if facts.before_is_whole {
        let few = |mut names: Vec<String>| {
            let more = names.len().saturating_sub(4);
            names.truncate(4);
            names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
        };
        let techniques = facts.techniques.iter().filter(|t| t.events_before == 0);
        let techniques: Vec<String> = techniques.map(|t| format!("{} ({})", t.name, t.id)).collect();
        let tools: Vec<String> = facts.tools.rows.iter().filter(|t| t.new).map(|t| t.name.clone()).collect();
        let countries = facts.countries.rows.iter().filter(|c| c.sessions_before == 0);
        let countries: Vec<String> = countries.map(|c| c.code.clone()).collect();
        for (what, names) in [("techniques", techniques), ("tools", tools), ("countries", countries)] {
            if !names.is_empty() {
                parts.push(format!("{what}: {}", few(names)));
            }
        }
    }
    let seen = match figures.new_sources {
        all if all == figures.sources => "no source had been seen before".to_owned(),
        0 => "every source had been seen before".to_owned(),
        new => format!("{} of {} sources had never been seen before", number(new), number(figures.sources)),
    };
    let parts = if parts.is_empty() {
        String::new()
    } else {
        format!("New against the period before are {}. ", parts.join("; "))
    };
    let mut letters = seen.chars();
    Some(parts + &letters.next()?.to_uppercase().chain(letters).collect::<String>() + ".")
}
