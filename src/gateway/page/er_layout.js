// Where the tables of a diagram stand: in layers from left to right, so that every link leads to the right. What refers
// stands left of what it refers to, a source left of what is made from it.

const BETWEEN_LAYERS = 72;
const BETWEEN_BOXES = 22;
const SWEEPS = 8;
// A link that passes a layer needs this much room there.
const LANE = 10;
// Tables without a link stand in rows below the others.
const ROW_WIDTH = 760;

// `boxes`: [{id, width, height}], `links`: [{from, to}]. Gives boxes their `x` and `y`, each link its `bends`, the points
// it passes between its ends, and returns the size of the whole.
export function layOut(boxes, links) {
  const linked = new Set(links.filter(({ from, to }) => from !== to).flatMap(({ from, to }) => [from, to]));
  const inLayers = boxes.filter(({ id }) => linked.has(id));
  const alone = boxes.filter(({ id }) => !linked.has(id));
  const size = placeLayers(inLayers, links.filter(({ from, to }) => from !== to));
  return placeRows(alone, size);
}

function placeLayers(boxes, links) {
  if (boxes.length === 0) return { width: 0, height: 0 };
  const nodes = new Map(boxes.map((box) => [box.id, { box, height: box.height, left: [], right: [] }]));
  const edges = direct(nodes, links);
  const layers = assignLayers([...nodes.values()], edges);
  for (const edge of edges) addLanes(edge, layers);
  order(layers);
  let x = 0;
  for (const layer of layers) {
    const width = Math.max(...layer.map(({ box }) => box?.width ?? 0));
    for (const node of layer) {
      node.x = x;
      node.width = width;
      if (node.box) node.box.x = x + (width - node.box.width) / 2;
    }
    x += width + BETWEEN_LAYERS;
  }
  spread(layers);
  const all = layers.flat();
  const top = Math.min(...all.map(({ y }) => y));
  for (const node of all) {
    node.y -= top;
    if (node.box) node.box.y = node.y;
  }
  for (const { link, lanes, isTurned } of edges) {
    const bends = lanes.flatMap(({ x: at, y, width }) => [
      { x: at, y: y + LANE / 2 },
      { x: at + width, y: y + LANE / 2 },
    ]);
    link.bends = isTurned ? bends.reverse() : bends;
  }
  return { width: x - BETWEEN_LAYERS, height: Math.max(...all.map(({ y, height }) => y + height)) };
}

// Links as edges from left to right; one that would close a circle is turned around.
function direct(nodes, links) {
  const edges = links.map((link) => ({
    link,
    from: nodes.get(link.from),
    to: nodes.get(link.to),
    lanes: [],
    isTurned: false,
  }));
  const state = new Map();
  const visit = (start) => {
    const stack = [{ node: start, next: edges.filter(({ from }) => from === start) }];
    state.set(start, "open");
    while (stack.length > 0) {
      const { node, next } = stack.at(-1);
      const edge = next.pop();
      if (!edge) {
        state.set(node, "done");
        stack.pop();
      } else if (state.get(edge.to) === "open") {
        [edge.from, edge.to, edge.isTurned] = [edge.to, edge.from, true];
      } else if (!state.has(edge.to)) {
        state.set(edge.to, "open");
        stack.push({ node: edge.to, next: edges.filter(({ from }) => from === edge.to) });
      }
    }
  };
  for (const node of nodes.values()) if (!state.has(node)) visit(node);
  return edges;
}

// The longest way from the left decides; what nothing leads to moves as far right as it can.
function assignLayers(nodes, edges) {
  for (const node of nodes) node.layer = 0;
  for (let round = 0; round < nodes.length; round += 1) {
    let isSettled = true;
    for (const { from, to } of edges) {
      if (to.layer > from.layer) continue;
      to.layer = from.layer + 1;
      isSettled = false;
    }
    if (isSettled) break;
  }
  for (const node of nodes) {
    if (edges.some(({ to }) => to === node)) continue;
    const next = edges.filter(({ from }) => from === node).map(({ to }) => to.layer);
    node.layer = Math.min(...next) - 1;
  }
  const layers = Array.from({ length: Math.max(...nodes.map(({ layer }) => layer)) + 1 }, () => []);
  for (const node of nodes) layers[node.layer].push(node);
  return layers;
}

function addLanes(edge, layers) {
  let before = edge.from;
  for (let layer = edge.from.layer + 1; layer < edge.to.layer; layer += 1) {
    const lane = { height: LANE, left: [], right: [] };
    layers[layer].push(lane);
    edge.lanes.push(lane);
    join(before, lane);
    before = lane;
  }
  join(before, edge.to);
}

function join(left, right) {
  left.right.push(right);
  right.left.push(left);
}

// Every node near the middle of what it is linked with: few links cross.
function order(layers) {
  const number = () => layers.forEach((layer) => layer.forEach((node, place) => (node.place = place)));
  number();
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const side = sweep % 2 === 0 ? "left" : "right";
    const inOrder = side === "left" ? layers : [...layers].reverse();
    for (const layer of inOrder) {
      for (const node of layer) node.weight = mean(node[side].map(({ place }) => place), node.place);
      layer.sort((a, b) => a.weight - b.weight);
      layer.forEach((node, place) => (node.place = place));
    }
  }
}

// The same for the heights: drawn to the middle of what it is linked with, and pushed apart again.
function spread(layers) {
  for (const layer of layers) {
    let y = 0;
    for (const node of layer) {
      node.y = y;
      y += node.height + BETWEEN_BOXES;
    }
    for (const node of layer) node.y -= y / 2;
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const inOrder = sweep % 2 === 0 ? layers : [...layers].reverse();
    for (const layer of inOrder) {
      for (const node of layer) {
        const middles = [...node.left, ...node.right].map(({ y, height }) => y + height / 2);
        node.y = mean(middles, node.y + node.height / 2) - node.height / 2;
      }
      pushApart(layer);
    }
  }
}

function pushApart(layer) {
  const wanted = mean(layer.map(({ y, height }) => y + height / 2), 0);
  for (let place = 1; place < layer.length; place += 1) {
    const above = layer[place - 1];
    layer[place].y = Math.max(layer[place].y, above.y + above.height + BETWEEN_BOXES);
  }
  const off = mean(layer.map(({ y, height }) => y + height / 2), 0) - wanted;
  for (const node of layer) node.y -= off;
}

function placeRows(boxes, { width, height }) {
  const widest = Math.max(width, ROW_WIDTH);
  let [x, y, rowHeight] = [0, height > 0 ? height + 2 * BETWEEN_BOXES : 0, 0];
  let [right, bottom] = [width, height];
  for (const box of boxes) {
    if (x > 0 && x + box.width > widest) {
      [x, y, rowHeight] = [0, y + rowHeight + BETWEEN_BOXES, 0];
    }
    [box.x, box.y] = [x, y];
    x += box.width + BETWEEN_BOXES;
    rowHeight = Math.max(rowHeight, box.height);
    right = Math.max(right, x - BETWEEN_BOXES);
    bottom = Math.max(bottom, y + rowHeight);
  }
  return { width: right, height: bottom };
}

function mean(numbers, otherwise) {
  return numbers.length === 0 ? otherwise : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
