import { Readable } from 'node:stream';

import { describeRoute } from '../../../src/http/describe-route.ts';
import { exportExamples, exportQuery, threadParams, type ExportQuery, type ThreadParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ExportService } from '../export-service.ts';

const TYPES = { json: 'application/json', markdown: 'text/markdown' };
const EXTENSIONS = { json: 'json', markdown: 'md' };

const NOTES = `A file with the thread and all its messages, model by model, as \`{"thread": {…}, "messages": […]}\` or as
text to read. The connection is cut when the thread is deleted in the middle.`;

export const exportThread = (exports: ExportService): ServerRoute<{ Params: ThreadParams; Query: ExportQuery }> => ({
    method: 'GET',
    path: '/api/threads/{threadId}/export',
    options: {
        ...describeRoute('Export a thread', {
            tag: 'threads',
            notes: NOTES,
            answersBinary: Object.values(TYPES),
            byteExamples: exportExamples,
            errors: ['THREAD_NOT_FOUND'],
            rateLimit: { limit: 10, window: 60 },
        }),
        auth: { access: { scope: 'thread:read' } },
        validate: { params: threadParams, query: exportQuery },
    },
    handler: async ({ auth, params: { threadId }, query: { format } }, h) => {
        const pieces = await exports.export(auth.credentials.actor, threadId, format);
        // Read at the client's pace, piece by piece.
        const body = Readable.from(pieces, { objectMode: false, highWaterMark: 1 });
        return h
            .response(body)
            .type(TYPES[format])
            .header('content-disposition', `attachment; filename="${threadId}.${EXTENSIONS[format]}"`);
    },
});
