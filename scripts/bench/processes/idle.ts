/** A server that does nothing: bare `node:http`, or a hapi with one route. */
import { createServer } from 'node:http';

const listen: Record<string, () => Promise<string>> = {
    node: () =>
        new Promise((resolve) => {
            const server = createServer((_request, response) => void response.end('{}'));
            server.listen(0, '127.0.0.1', () => {
                const address = server.address();
                resolve(typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : '');
            });
        }),
    hapi: async () => {
        const { default: Hapi } = await import('@hapi/hapi');
        const server = Hapi.server({ host: '127.0.0.1', port: 0 });
        server.route({ method: 'GET', path: '/health/ready', handler: () => ({}) });
        await server.start();
        return server.info.uri;
    },
};

const start = listen[process.env.KIND ?? ''];
if (!start) throw new Error(`There is no kind ${process.env.KIND}`);
process.stdout.write(`listening on ${await start()}\n`);
