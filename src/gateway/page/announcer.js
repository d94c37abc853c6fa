// Says something to people who listen to the page instead of looking at it.

const LONGEST = 1_000;

export function announce(text) {
  const short =
    text.length > LONGEST ? `${text.slice(0, LONGEST)}… The rest is on the page.` : text;
  // A new node each time: the same words twice are announced twice.
  const words = document.createElement("p");
  words.textContent = short;
  document.getElementById("announcer").replaceChildren(words);
}
