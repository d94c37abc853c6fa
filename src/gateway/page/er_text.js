// Reads the part of Mermaid's erDiagram that dragoman writes. Of anything else nothing is guessed.

const ENDS = { "|o": "zero-or-one", "o|": "zero-or-one", "||": "one", "}o": "many", "o{": "many" };
const LINK = /^(\w+) (\|o|\|\||\}o)(--|\.\.)(o\||\|\||o\{) (\w+) : (?:"([^"]*)"|(\w+))$/;
const ENTITY = /^(\w+)(?:\["([^"]*)"\])?( \{)?$/;
const ROW = /^(\S+) (\S+)(?: ((?:PK|FK)(?:, (?:PK|FK))*))?(?: "([^"]*)")?$/;
const DESCRIPTION = /^accDescr: (.*)$/;

// {description, entities: [{id, label, rows: [{type, name, keys, comment}]}], links: [{from, to, fromEnd, toEnd,
// isDashed, label}]}; null if it cannot be read.
export function readDiagram(text) {
  const [head, ...lines] = text.trim().split("\n");
  if (head.trim() !== "erDiagram") return null;
  const entities = new Map();
  const links = [];
  let description = "";
  let open = null;
  for (const raw of lines) {
    const line = raw.trim();
    if (open) {
      if (line === "}") open = null;
      else if (!addRow(open, line)) return null;
      continue;
    }
    const link = LINK.exec(line);
    const entity = ENTITY.exec(line);
    const described = DESCRIPTION.exec(line);
    if (link) {
      links.push(readLink(link));
    } else if (entity) {
      const [, id, label, brace] = entity;
      const known = { id, label: label === undefined ? id : decode(label), rows: [] };
      entities.set(id, known);
      if (brace) open = known;
    } else if (described) {
      description = decode(described[1]);
    } else {
      return null;
    }
  }
  const isWhole = links.every(({ from, to }) => entities.has(from) && entities.has(to));
  return !open && isWhole ? { description, entities: [...entities.values()], links } : null;
}

function readLink([, from, fromEnd, line, toEnd, to, label, word]) {
  return {
    from,
    to,
    fromEnd: ENDS[fromEnd],
    toEnd: ENDS[toEnd],
    isDashed: line === "..",
    // What a table is made from: in which numbers is not known.
    isFlow: word === "feeds",
    label: decode(label ?? word),
  };
}

function addRow(entity, line) {
  const row = ROW.exec(line);
  if (!row) return false;
  const [, type, name, keys = "", comment = ""] = row;
  entity.rows.push({ type, name, keys, comment: decode(comment) });
  return true;
}

// Characters that mean something to Mermaid are written by their number.
function decode(text) {
  return text.replace(/#(\d{1,7});/g, (whole, number) =>
    Number(number) <= 0x10ffff ? String.fromCodePoint(Number(number)) : whole,
  );
}
