import { eventTypes } from '../../src/events/catalogue.ts';

const typesList = Object.entries(eventTypes)
    .map(([type, { description: what }]) => `- \`${type}\`: ${what}`)
    .join('\n');

/** What a reader of the document should know before the routes, in Markdown. */
export const description = `Multi-tenant backend for LLM applications.

**Credentials.** Get tokens at \`POST /api/auth/login\` and send \`Authorization: Bearer <accessToken>\`; browsers may rely
on the cookies that are set as well. An access token lives \`expiresIn\` seconds: get the next at
\`POST /api/auth/refresh\`. Programs may take a service API key of \`POST /api/keys\` in its place, or send it as
\`X-API-Key\`; routes about your own account and sessions refuse it with \`KEY_NOT_ALLOWED\`.

**Answers.** Every success is \`{"success": true, "data": {…}, "timestamp", "requestId"}\`, a list with \`pagination\`
beside \`data\`; every failure is \`{"success": false, "error": {"code", …}, …}\`. Branch on \`error.code\`, and on
\`error.category\` for codes that are new to you; \`GET /api/errors\` lists them all.

**Clients of OpenAI.** What is below \`/v1/\` has OpenAI’s form, of errors too: set \`baseURL\` to this server’s \`/v1\`.

**Repeats.** A request whose answer got lost may be repeated without harm where the route takes an \`Idempotency-Key\`: the
repeat is answered as the first one was, in an envelope of its own and with \`Idempotent-Replayed: true\`.

**Versions.** \`/api/v1/…\` is the same API, pinned; \`/api/…\` follows the newest version. A route that is to be
withdrawn is shown as \`deprecated\`, and its answers say from when on in \`Deprecation\` and \`Sunset\`.

**Limits.** The \`X-RateLimit-*\` headers tell of the tightest limit; \`x-rate-limit\` shows that of each route: its own, as
\`limit\` requests in \`window\` seconds \`per\` user or IP address; that of the user's tier, which holds besides for every
route with a credential, as \`tiers\`; or none.

**Events.** Changes are told as events, with ids and states in \`data\`; \`GET /api/events/types\` has an example of each.

${typesList}`;

/** What a request names itself by: either will do. */
export const securitySchemes = {
    accessToken: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'an access token of `POST /api/auth/login`, or a service API key (`lal_…`)',
    },
    apiKey: {
        type: 'apiKey',
        in: 'header',
        name: 'X-API-Key',
        description: 'a service API key of `POST /api/keys`; `KEY_NOT_ALLOWED` where a route is for sessions only',
    },
};

/** The groups the routes are listed in. */
export const tags = [
    { name: 'auth', description: 'Registration, login and sessions' },
    { name: 'tenant', description: 'Your own tenant' },
    { name: 'users', description: 'The users of a tenant, for its admins' },
    { name: 'keys', description: 'Service API keys' },
    { name: 'limits', description: 'Tiers, quotas and what was used of them' },
    { name: 'profile', description: 'What users see and change of themselves' },
    { name: 'threads', description: 'Conversations' },
    { name: 'messages', description: 'What is said in a thread, per model' },
    { name: 'models', description: 'The models and whether they can be used' },
    { name: 'events', description: 'What happens, as it happens' },
    { name: 'billing', description: 'Credits, what they were spent on, invoices and prices' },
    { name: 'openai', description: 'The same models for clients of OpenAI, in OpenAI’s form' },
    { name: 'projects', description: 'What holds VMs together' },
    { name: 'tunnels', description: 'Ways to services on your own machines' },
    { name: 'proxies', description: 'Stable addresses in front of tunnels' },
    { name: 'webhooks', description: 'Addresses that are told of events, and what became of each delivery' },
    { name: 'vms', description: 'Virtual machines and what they cost' },
    { name: 'audit', description: 'Who did what, from where and with what result' },
    { name: 'backups', description: 'Backups of a tenant, by hand or by schedule, and their restores' },
    { name: 'health', description: 'Probes, version and the error catalogue' },
    { name: 'admin', description: 'For the roles of the platform' },
];
