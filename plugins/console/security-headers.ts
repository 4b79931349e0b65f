import { isBoom } from '@hapi/boom';

import type { Lifecycle } from '@hapi/hapi';

const POLICY = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    // Text that came from the API can then become HTML by no mistake of ours.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
].join('; ');

/** Lets the page load and ask nothing but this server, run none but its own files, and be framed by nobody. */
export const protectPage: Lifecycle.Method = ({ response }, h) => {
    if (isBoom(response)) return h.continue;
    response.header('content-security-policy', POLICY);
    response.header('cross-origin-opener-policy', 'same-origin');
    response.header('cross-origin-resource-policy', 'same-origin');
    response.header('x-frame-options', 'DENY');
    return h.continue;
};
