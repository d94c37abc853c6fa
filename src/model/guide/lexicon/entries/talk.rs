//! Words people say to each other.

use super::super::Concept::{Farewell, Greeting, Help, Identity, Ordinal, Thanks, Yes};
use super::super::Tongue::{Any, Cz, En, Sk, SkCz};
use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    (
        Greeting,
        En,
        "hi, hello, hey, good morning, good afternoon, good evening, good day, howdy, greetings",
    ),
    (
        Greeting,
        SkCz,
        "ahoj, ahojte, cau, caute, nazdar, servus, zdravim",
    ),
    (Greeting, Sk, "dobry den, dobre rano, dobry vecer"),
    (Greeting, Cz, "dobrý den, dobré ráno, dobrý večer"),
    (Farewell, En, "bye, goodbye, good bye, see you"),
    (Farewell, Sk, "dovidenia"),
    (Farewell, Cz, "nashledanou, na shledanou"),
    (
        Thanks,
        En,
        "thank*, thank you, thanks, thx, cheers, great, perfect, nice, awesome",
    ),
    (Thanks, SkCz, "diky, dik, super, skvel*"),
    (Thanks, Sk, "dakuj*, vdaka"),
    (Thanks, Cz, "dekuj*"),
    (
        Help,
        En,
        "help, help me, what can you do, what do you do, what can i ask, what can i ask you, how \
         do you work, how does this work, what can you answer, what do you know, capabilities, \
         usage, examples, what questions, what should i ask, how can you help",
    ),
    (
        Help,
        SkCz,
        "pomoc, pomoz*, napoved*, co dokazes, co dovedes, pomoct",
    ),
    (
        Help,
        Sk,
        "co vies, čo vieš, čo dokážeš, co mozem, co sa mozem, na co sa mozem, na čo sa môžem, ako \
         to funguje, ako fungujes, co sa ta mozem, s cim mi, ako mi mozes",
    ),
    (
        Help,
        Cz,
        "co umis, co vsechno umis, co muzu, na co se muzu, na co se te muzu, jak to funguje, jak \
         fungujes, s cim mi",
    ),
    (
        Identity,
        En,
        "who are you, what are you, are you, your name, language model, llm, gpt, chatgpt, gpt 4, \
         which model, what model, what ai, which ai, who made you, robot, artificial intelligence, \
         ai",
    ),
    (
        Identity,
        Sk,
        "kto si, čo si zač, čo si, co si zac, kto ste, si robot, jazykovy model, aky model, aky si \
         model, umela inteligencia",
    ),
    (
        Identity,
        Cz,
        "kdo jsi, co jsi, co jsi zac, kdo jste, jsi robot, jazykový model, jaky model, jaky jsi \
         model, umela inteligence",
    ),
    (Yes, En, "yes, yep, yeah, sure, correct"),
    (Yes, SkCz, "ano, jasne, hej, jo"),
    (Ordinal(1), Any, "1, first, 1st, the first, prv*"),
    (
        Ordinal(2),
        Any,
        "2, second, 2nd, the second, druha, druhu, druhe, druhy",
    ),
    (Ordinal(3), Any, "3, third, 3rd, the third, tret*"),
    (
        Ordinal(4),
        Any,
        "4, fourth, 4th, the fourth, stvrt*, ctvrt*",
    ),
    (
        Ordinal(5),
        Any,
        "5, fifth, 5th, the fifth, piata, piatu, piaty, pata, patou, paty",
    ),
];
