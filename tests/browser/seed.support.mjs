// The seed document's frontend code, byte for byte, as pages of a server in development.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// require, because it also looks into NODE_PATH: the package is not installed in this folder.
const { build } = createRequire(import.meta.url)('esbuild');

const SEED = fileURLToPath(new URL('../seed/', import.meta.url));

// The code as it stands in the document, and around it what the document leaves to its reader.
export const COMPONENT = `
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useWebSocket } from './useWebSocket';
${readFileSync(`${SEED}ChatComponent.tsx`, 'utf8')}
createRoot(document.getElementById('root')!).render(<ChatComponent />);
`;
export const RECONNECTING = `
${readFileSync(`${SEED}ReconnectingWebSocket.ts`, 'utf8')}
Object.assign(window, { ReconnectingWebSocket });
`;

// A script that a page can run as it is.
export async function bundle(contents) {
  const result = await build({
    stdin: { contents, resolveDir: SEED, loader: 'tsx' },
    bundle: true,
    write: false,
    charset: 'utf8',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    // React, where tests/run keeps it.
    nodePaths: [process.env.NODE_PATH],
    logLevel: 'warning',
  });
  return result.outputFiles[0].text;
}

// A server that gives out, at each path, a page with that path's script and no more.
export function servePages(port, scripts) {
  const server = createServer((request, response) => {
    const script = scripts[request.url];
    if (script === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    // Without an icon of its own, a browser asks for one, and complains that there is none.
    const body = `<div id="root"></div><script>${script.replaceAll('</script', '<\\/script')}</script>`;
    response.end(`<!doctype html><link rel="icon" href="data:,">${body}`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, 'localhost', () => resolve(server));
  });
}
