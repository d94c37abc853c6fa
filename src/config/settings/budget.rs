use crate::config::setting::{Form, Setting, Special, count, special};
use crate::config::values;

/// Most tokens any limit may be set to.
const MOST: usize = 1_000_000_000_000;

pub(super) const CONTEXT_TOKENS: Setting = count(
    "agent.context_tokens",
    "Longest request to the model, in tokens as dragoman guesses them; what is too much is shortened or left out",
    |config| &mut config.agent.context_tokens,
    1_000..=10_000_000,
);
pub(super) const HISTORY_TOKENS: Setting = count(
    "agent.history_tokens",
    "How much of it may be earlier turns: long tool results are shortened first, then the oldest turns left out",
    |config| &mut config.agent.history_tokens,
    0..=10_000_000,
);
pub(super) const TURN_TOKENS: Setting = count(
    "limits.turn_tokens",
    "Most tokens the model may read and write for one turn; 0: any number",
    |config| &mut config.agent.turn_tokens,
    0..=MOST,
);
pub(super) const DAILY_TOKENS: Setting = count(
    "limits.daily_tokens",
    "Tokens after which somebody gets no new turn that day (UTC); callers who have not signed in count as one; 0: any number",
    |config| &mut config.limits.daily_tokens,
    0..=MOST,
);
pub(super) const INPUT_PRICE: Setting = special(
    "prices.input",
    "What a million tokens cost that the model reads, in any currency; turns tell their cost if there are prices",
    Special {
        form: Form::Ratio,
        accepts: "0 to 1000000, at most six decimals",
        default: None,
        set: |config, text, _| values::micros(text).map(|value| config.agent.prices.input = value),
        get: |config| values::micros_text(config.agent.prices.input),
    },
);
pub(super) const CACHED_PRICE: Setting = special(
    "prices.cached",
    "What those cost that the provider has in its cache, as a share of `prices.input`; often 0.1",
    Special {
        form: Form::Ratio,
        accepts: "0 to 1, at most three decimals",
        default: None,
        set: |config, text, _| {
            values::permille(text).map(|value| config.agent.prices.cached_permille = value)
        },
        get: |config| values::permille_text(config.agent.prices.cached_permille),
    },
);
pub(super) const OUTPUT_PRICE: Setting = special(
    "prices.output",
    "What a million tokens cost that it writes",
    Special {
        form: Form::Ratio,
        accepts: "0 to 1000000, at most six decimals",
        default: None,
        set: |config, text, _| values::micros(text).map(|value| config.agent.prices.output = value),
        get: |config| values::micros_text(config.agent.prices.output),
    },
);
