export const DOCUMENT_PATH = '/openapi.json';
export const FILES_PATH = '/swaggerui/';

/** What the page loads, of the package swagger-ui-dist. */
export const PAGE_FILES = [
    'favicon-16x16.png',
    'favicon-32x32.png',
    'swagger-ui-bundle.js',
    'swagger-ui-standalone-preset.js',
    'swagger-ui.css',
];

/** The address of the document is fixed: `?url=` would show one of somebody else on our origin. No validator is asked. */
const OPTIONS = {
    url: DOCUMENT_PATH,
    validatorUrl: null,
    dom_id: '#swagger-ui',
    deepLinking: true,
    layout: 'StandaloneLayout',
    tagsSorter: 'alpha',
    operationsSorter: 'alpha',
};

/** The page of Swagger UI. */
export const page = `<!DOCTYPE html>
<html lang="en">
    <head>
        <meta charset="UTF-8" />
        <title>llm-api-layer</title>
        <link rel="stylesheet" href="${FILES_PATH}swagger-ui.css" />
        <link rel="icon" type="image/png" href="${FILES_PATH}favicon-32x32.png" sizes="32x32" />
        <link rel="icon" type="image/png" href="${FILES_PATH}favicon-16x16.png" sizes="16x16" />
        <style>
            body { margin: 0; background: #fafafa; }
        </style>
    </head>
    <body>
        <div id="swagger-ui"></div>
        <script src="${FILES_PATH}swagger-ui-bundle.js"></script>
        <script src="${FILES_PATH}swagger-ui-standalone-preset.js"></script>
        <script>
            window.ui = SwaggerUIBundle({
                ...${JSON.stringify(OPTIONS)},
                presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
                plugins: [SwaggerUIBundle.plugins.DownloadUrl],
            });
        </script>
    </body>
</html>
`;
