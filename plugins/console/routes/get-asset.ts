import type { ServerRoute } from '@hapi/hapi';

/**
 * The files of the page. They name each other by fixed names, so a browser asks each time whether its copies are the
 * newest: while replicas of two versions run, it never gets one of them under the name of the other.
 */
export const getAsset = (folder: string): ServerRoute => ({
    method: 'GET',
    path: '/admin/assets/{file*}',
    options: { auth: false, cache: { otherwise: 'no-cache' } },
    handler: { directory: { path: folder, index: false, redirectToSlash: false } },
});
