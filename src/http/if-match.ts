import Joi from 'joi';

/** The entity tag of a record's revision (RFC 9110, 8.8.3). */
export const etagOf = ({ revision }: { revision: number }): string => String(revision);

/** The headers of a route that changes a record: with If-Match it is changed only if it is still that revision. */
export const ifMatchHeaders = Joi.object({
    'if-match': Joi.string()
        // The tag of a compressed answer ends in its encoding.
        .pattern(/^("\d{1,15}(-[a-z]{1,10})?"|\*)$/, 'entity tag')
        .description('the ETag of the record as you read it'),
})
    .unknown()
    .label('IfMatchHeaders');

/** The revision that If-Match names; undefined when any will do. */
export function revisionOf(headers: Record<string, unknown>): number | undefined {
    const tag = headers['if-match'];
    return typeof tag === 'string' && tag !== '*' ? Number.parseInt(tag.slice(1), 10) : undefined;
}
