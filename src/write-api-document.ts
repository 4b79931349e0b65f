import { apiDocument, type RouteSettings } from './api-document.ts';

const [settings = '{}'] = process.argv.slice(2);
const document = await apiDocument(JSON.parse(settings) as RouteSettings);
// Timers of what was put together for it would keep the process.
process.stdout.write(document, () => process.exit());
