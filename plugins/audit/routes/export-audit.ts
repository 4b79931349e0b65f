import { Readable } from 'node:stream';

import { describeRoute } from '../../../src/http/describe-route.ts';
import { exportExamples, exportQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ExportService } from '../export-service.ts';
import type { ExportQuery } from '../query.ts';

const TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' };

const NOTES = `All entries that fit, up to the one that tells of this export: as a table, or one object a line as
\`GET /api/audit\` has it. In the table, a text that a spreadsheet would take for a formula stands behind an apostrophe.`;

export const exportAudit = (exports: ExportService): ServerRoute<{ Query: ExportQuery }> => ({
    method: 'GET',
    path: '/api/audit/export',
    options: {
        ...describeRoute('Export the audit', {
            tag: 'audit',
            notes: NOTES,
            answersBinary: Object.values(TYPES),
            byteExamples: exportExamples,
            rateLimit: { limit: 10, window: 60 },
        }),
        auth: { access: { scope: 'audit:read' } },
        validate: { query: exportQuery },
    },
    handler: async ({ auth, query }, h) => {
        const pieces = await exports.export(auth.credentials.actor, query);
        // Read at the client's pace, piece by piece.
        const body = Readable.from(pieces, { objectMode: false, highWaterMark: 1 });
        return h
            .response(body)
            .type(TYPES[query.format])
            .header('content-disposition', `attachment; filename="audit.${query.format}"`);
    },
});
