import type { ServerRoute } from '@hapi/hapi';

/** @param path The page is served at two */
export const showConsole = ({ html, etag }: { html: string; etag: string }, path: string): ServerRoute => ({
    method: 'GET',
    path,
    options: { auth: false, cache: { otherwise: 'no-cache' } },
    handler: (_request, h) => h.response(html).type('text/html').etag(etag),
});
