import { describeRoute } from '../../../src/http/describe-route.ts';
import { eventStream } from '../../../src/http/sse.ts';
import {
    eventAnswer,
    eventExample,
    streamEventsExample,
    streamHeaders,
    streamQuery,
    type StreamHeaders,
    type StreamQuery,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LiveStreams } from '../live-streams.ts';

const NOTES = `What happens, as server-sent events, on any server: with \`Last-Event-ID\` what has happened since that
event, then what comes. Admins are told of the whole tenant, others of what is theirs (\`data.userId\`). \`ready\` is the
first event and says where the stream begins, so that a client that was told nothing yet can go on there too;
\`events_lost\` stands in its place when events since \`Last-Event-ID\` may be gone: they are kept for 7 days. The stream
ends when the session or the key is over, and when the server stops: connect again with \`Last-Event-ID\`.`;

export const streamEvents = (live: LiveStreams): ServerRoute<{ Query: StreamQuery; Headers: StreamHeaders }> => ({
    method: 'GET',
    path: '/api/events/stream',
    options: {
        ...describeRoute('Follow the events', {
            tag: 'events',
            notes: NOTES,
            answer: eventAnswer,
            example: eventExample,
            streamExample: streamEventsExample,
            errors: ['TOO_MANY_STREAMS', 'SESSION_ENDED', 'SHUTTING_DOWN'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'event:read' } },
        validate: { query: streamQuery, headers: streamHeaders },
        timeout: { server: false },
    },
    handler: async ({ auth, query, headers, raw }, h) => {
        const wish = { types: query.types, lastEventId: headers['last-event-id'] };
        const { events, leave } = await live.open(auth.credentials.actor, wish);
        raw.res.once('close', leave);
        if (raw.res.destroyed) leave();
        return h
            .response(eventStream(events))
            .type('text/event-stream')
            .header('cache-control', 'no-cache')
            .header('x-accel-buffering', 'no');
    },
});
