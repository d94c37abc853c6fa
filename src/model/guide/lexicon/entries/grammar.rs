//! Words that hold a sentence together.

use super::super::Concept::{
    About, And, By, Filler, Have, How, In, Onto, Pronoun, WhatAbout, When, Where, Which, With,
};
use super::super::Tongue::{Any, Cz, En, Sk, SkCz};
use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    (
        Filler,
        En,
        "the, an, is, are, was, were, be, been, being, does, did, can, could, would, will, should, \
         must, may, you, your, me, my, we, us, our, for, at, there, please, pls, why, any, some, \
         every, each, everything, so, just, want, want to, need, need to, would like, know, let, \
         let me, get, also, then, now, re, ll, ve, ok, okay, well, really, actually, exactly, \
         available, existing, exist, exists, catalog, catalogue, database, data, the data, other, \
         another, only, one, ones, i want, i need, on, who, tell me, tell us, if, but, not, dont, \
         happens, go, goes, a lot, lots, much, very, again, use for, used for, good",
    ),
    (
        Filler,
        Any,
        "do, to, i, by the way, prosim, data, all, no, m, t",
    ),
    (
        Filler,
        SkCz,
        "je, si, mi, nam, vam, by, po, za, pre, pri, sem, len, jen, chcem, chci, potrebuj*, viem, \
         vim, vediet, vedet, mozem, muzu, mozes, muzes, mohol, mohl, mohla, daj, dej, vset*, \
         vsech*, cela, cele, celu, cely, nejak*, existuj*, dostupn*, katalog*, databaz*, dat, \
         udaj*, ze, aby, teda, tedy, tak, potom, prave, vlastne, presne, vobec, vubec, vam, nas, \
         kazd*, co, tu, byt, bude, budu, este, jeste, uz, mame, mas, mate",
    ),
    (
        Filler,
        Sk,
        "čo, čom, su, som, sa, nie, comu, vidiet, ked, ak, teraz, kto, pozri, mna, ľa, treba",
    ),
    (
        Filler,
        Cz,
        "jsou, jsem, se, ne, cemu, videt, kdyz, pokud, ted, kdo, podivej, pro, jestli",
    ),
    (
        Pronoun,
        En,
        "it, its, they, them, their, this, that, these, those, this table, that table, these \
         tables, the table",
    ),
    (
        Pronoun,
        SkCz,
        "ho, jej, jeho, ich, ju, ta tabulka, tu tabulku, ta, tej, toho, tomu, tym, nan, nej, ni",
    ),
    (
        Pronoun,
        Sk,
        "nou, nim, nom, tato, tuto, tejto, touto, tento, tohto, tomto, tato tabulka, tuto tabulku, \
         tejto tabulky, tejto tabulke, touto tabulkou, tam",
    ),
    (
        Pronoun,
        Cz,
        "jeji, ji, nem, teto, tohle, teto tabulky, teto tabulce, touto tabulkou, tohoto, tom, \
         jejich",
    ),
    (And, En, "and, or, versus, vs, plus, as well as"),
    (And, Any, "a"),
    (And, SkCz, "aj, alebo, nebo, ci, i"),
    (With, En, "with"),
    (With, SkCz, "s, so, k, ku, ke"),
    (In, En, "in, of, within, inside, from"),
    (In, SkCz, "v, vo, ve, z, zo, ze, od"),
    (Onto, SkCz, "na"),
    (By, En, "by"),
    (How, En, "how"),
    (How, Sk, "ako"),
    (How, Cz, "jak"),
    (When, En, "when"),
    (When, Sk, "kedy"),
    (When, Cz, "kdy"),
    (Where, En, "where"),
    (Where, SkCz, "kde"),
    (Which, En, "which, what, what kind, what kinds of"),
    (Which, Sk, "ktor*, ake, aky, aka, akych, akej, aku, akeho"),
    (
        Which,
        Cz,
        "kter*, jake, jaky, jaka, jakych, jakou, jaci, jakeho",
    ),
    (Have, En, "have, has, having, got"),
    (Have, SkCz, "ma, mat, mit"),
    (Have, Sk, "maju"),
    (Have, Cz, "maji"),
    (About, En, "about, regarding, concerning"),
    (About, SkCz, "o"),
    (About, Sk, "ohladom, tykaju, tyka"),
    (About, Cz, "ohledne, tykaji"),
    (
        WhatAbout,
        En,
        "what about, how about, and what about, and how about, same for, the same for, and for, \
         now for, and of, and in",
    ),
    (WhatAbout, SkCz, "a co, a pre, a pro"),
    (
        WhatAbout,
        Sk,
        "a čo, čo tak, a čo tak, co takto, to iste pre",
    ),
    (
        WhatAbout,
        Cz,
        "a co treba, co treba, co takhle, totez pro, to same pro",
    ),
];
