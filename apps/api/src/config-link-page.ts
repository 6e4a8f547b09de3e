/**
 * What a browser, a mail scanner or a messenger's preview sees of a link: the same page for every link, used or not, which
 * fetches nothing until a person presses its button.
 */
export const configLinkPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Configuration for a device</title>
<h1>Configuration for a device</h1>
<p>The button gives the configuration with its secret, once. Press it on the machine that shall have it.</p>
<form method="post"><button>Get the configuration</button></form>
<p>Or, in a shell: <code>curl -OJ -X POST</code> and the address of this page.</p>
</html>
`

export const configLinkHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
} as const
