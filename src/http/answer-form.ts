import type { ErrorBody } from './errors.ts';

/** How a part of the API answers that does not use the envelope: successes are sent as the handler gives them. */
export interface AnswerForm {
    /** Names the schema of a failure in the OpenAPI document. */
    name: string;
    /** What the paths of that part begin with; a path below it that leads nowhere answers in this form too. */
    prefix: string;
    /** The body of a failure. */
    failure: (error: ErrorBody) => object;
    /** What `failure` gives, as OpenAPI says it. */
    failureSchema: { type: 'object'; [keyword: string]: unknown };
}

/** The forms that answers may have besides the envelope. */
export class AnswerForms {
    readonly #forms: AnswerForm[] = [];

    add(form: AnswerForm): void {
        this.#forms.push(form);
    }

    /** The form that a path says; undefined for the envelope. It is known also where no route was found. */
    of(path: string): AnswerForm | undefined {
        return this.#forms.find(({ prefix }) => path.startsWith(prefix));
    }
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        responses: { addForm: (form: AnswerForm) => void };
    }
}
