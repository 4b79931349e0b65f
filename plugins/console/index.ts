import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import Inert from '@hapi/inert';
import Vision from '@hapi/vision';
import Handlebars from 'handlebars';

import { getAsset } from './routes/get-asset.ts';
import { showConsole } from './routes/show-console.ts';
import { protectPage } from './security-headers.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

const folder = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The page of the platform's admins: a client of the API as any other, that needs no more than a browser. */
export const adminConsole: Plugin<Platform> = {
    name: 'console',
    register: async (server, { config }) => {
        if (!config.CONSOLE) return;
        await server.register([Inert, Vision]);
        server.views({ engines: { html: Handlebars }, path: folder('templates') });
        const assets = folder('assets');
        const html = await server.render('console', { version: config.VERSION, modules: modulesIn(assets) });
        const page = { html, etag: createHash('sha256').update(html).digest('base64url') };
        // Whoever types the address may end it with a slash.
        server.route(showConsole(page, '/admin'));
        server.route(showConsole(page, '/admin/'));
        server.route(getAsset(assets));
        server.ext('onPreResponse', protectPage, { sandbox: 'plugin' });
    },
};

/** A browser that is told of all of them at once need not find them one by one. */
const modulesIn = (assets: string): string[] =>
    readdirSync(assets, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.js'))
        .map((name) => name.replaceAll('\\', '/'))
        .sort();
