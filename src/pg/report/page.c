/*
 * page.c
 *	  A self-contained HTML page: its frame, its style, and text that is escaped.
 */
#include "pg/report/page.h"

#include "common/base64.h"
#include "utils/builtins.h"

#include "base/utf8.h"
#include "pg/support/pg_env.h"

#define REPLACEMENT 0xFFFD

const char mren_page_colors[] =
	":root{color-scheme:light dark;--surface:#fcfcfb;--card:#ffffff;--ink:#1a1a19;--soft:#5c5b57;"
	"--line:#e4e3df;--grid:#ecebe7;--a:#2a78d6;--b:#d9591c;--a-rgb:42,120,214;--b-rgb:217,89,28;"
	/* As in heat maps. */
	"--for-rgb:214,48,48;--against-rgb:42,90,214;"
	"--mark:#f1f0ec;--c:#178a5b;--c1:#2a78d6;--c2:#d9591c;--c3:#178a5b;--c4:#8b5bd0;--c5:#b08400;--"
	"c6:#c2417c;"
	"--c7:#0e8a9a;--c8:#77756e}"
	"@media(prefers-color-scheme:dark){:root{--surface:#161615;--card:#1f1f1d;--ink:#f2f1ed;"
	"--soft:#b3b1aa;--line:#383733;--grid:#2d2c29;--a:#5a9df0;--b:#f0834a;--a-rgb:58,135,229;"
	"--b-rgb:224,98,42;--for-rgb:226,86,86;--against-rgb:74,127,240;--c:#3fbf88;--mark:#2b2a27;--"
	"c1:#5a9df0;--c2:#f0834a;--c3:#3fbf88;--c4:#"
	"b08df0;"
	"--c5:#d6a92c;--c6:#ea72a6;--c7:#3dbccb;--c8:#a3a199}}";

const char mren_page_drawing[] =
	".drawing{min-width:44rem}.drawing text{paint-order:stroke;stroke:var(--card);stroke-width:4px;"
	"stroke-linejoin:round}.drawing .edge{stroke:var(--soft);stroke-opacity:.55;fill:none;"
	"stroke-width:1.4}.drawing .tip{fill:var(--soft)}.drawing .name{fill:var(--ink);font-size:13px}"
	".drawing .relation{font-size:11px}";

static const char style[] =
	"*{box-sizing:border-box}"
	"body{margin:0;background:var(--surface);color:var(--ink);"
	"font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}"
	"main{max-width:72rem;margin:0 auto;padding:2rem 1.25rem 4rem}"
	"header p{margin:0;color:var(--soft)}header .kind{font-size:.8rem;letter-spacing:.06em;"
	"text-transform:uppercase}"
	"h1{margin:.1rem 0 .3rem;font-size:2rem;line-height:1.2;overflow-wrap:anywhere}"
	"h2{margin:0 0 .25rem;font-size:1.2rem}h3{margin:1.2rem 0 .4rem;font-size:1rem}"
	"section{margin-top:1.5rem;padding:1.25rem;background:var(--card);border:1px solid var(--line);"
	"border-radius:.75rem;min-width:0}"
	"section>p{margin:.1rem 0 1rem;color:var(--soft);max-width:46rem}"
	".pair{display:grid;gap:1.5rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),"
	"1fr));"
	"margin-top:1.5rem}.pair>section{margin-top:0}"
	".tiles{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));"
	"margin-top:1.5rem}"
	".tile{padding:.9rem 1rem;background:var(--card);border:1px solid var(--line);"
	"border-radius:.75rem}.tile b{display:block;font-size:1.7rem;line-height:1.2;font-weight:650}"
	".tile span{display:block;font-size:.82rem;color:var(--soft)}"
	/* A shade at the side where there is more. */
	".scroll{overflow-x:auto;max-width:100%;background:linear-gradient(to "
	"right,var(--card) 40%,transparent) 0 0/2rem 100% no-repeat local,linear-gradient(to "
	"left,var(--card) 40%,transparent) 100% 0/2rem 100% no-repeat local,linear-gradient(to "
	"right,rgba(128,128,128,.4),transparent) 0 0/.7rem 100% no-repeat scroll,linear-gradient(to "
	"left,rgba(128,128,128,.4),transparent) 100% 0/.7rem 100% no-repeat scroll}"
	"table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}"
	"th,td{padding:.3rem .75rem .3rem 0;text-align:left;vertical-align:top;"
	"border-bottom:1px solid var(--grid);unicode-bidi:isolate}"
	"thead th{color:var(--soft);font-weight:500;border-bottom-color:var(--line);white-space:nowrap}"
	".n{text-align:right;white-space:nowrap}tbody th{font-weight:500;overflow-wrap:anywhere;"
	"min-width:7rem}tr.sum>*{border-bottom:0;color:var(--soft)}tr.sum:first-child>*,tr.first>*"
	"{border-top:1px solid var(--line)}"
	".wide{width:100%}.wide "
	".n{width:1%;padding-left:1rem}.bar{display:inline-block;vertical-align:middle;width:6.5rem;"
	"height:.6rem;"
	"border-radius:.3rem;background:var(--mark);margin-left:.6rem;overflow:hidden}"
	".bar i{display:block;height:100%;border-radius:.3rem;background:var(--a)}"
	".matrix "
	"td{width:3.4rem;min-width:2.9rem;height:2.4rem;text-align:center;vertical-align:middle;"
	"padding:0;border:2px solid var(--card);border-radius:.3rem}"
	".matrix thead th{white-space:normal}.matrix th{border:0;padding-right:.6rem}.matrix tbody "
	"th{position:sticky;left:0;"
	"background:var(--card);text-align:right;vertical-align:middle;min-width:10rem;max-width:12rem}"
	".matrix thead th.v{padding:.4rem 0;color:var(--ink);text-align:center;vertical-align:bottom}"
	".v span{display:inline-block;writing-mode:vertical-rl;transform:rotate(180deg);"
	"max-height:9rem;overflow-wrap:anywhere;text-align:left;line-height:1.15}"
	".dark{color:#fff}.n+td:not(.n),.n+th:not(.n){padding-left:1rem}"
	"svg{display:block;width:100%;height:auto;font:13px system-ui,-apple-system,'Segoe UI',Roboto,"
	"sans-serif}svg text{fill:var(--soft)}svg .ink{fill:var(--ink)}"
	"svg .grid{stroke:var(--grid);stroke-width:1}svg .axis{stroke:var(--line);stroke-width:1}"
	"svg .a{stroke:var(--a);fill:none;stroke-width:2;stroke-linejoin:round}"
	"svg .b{stroke:var(--b);fill:none;stroke-width:2;stroke-linejoin:round}"
	"svg .c{stroke:var(--c3);fill:none;stroke-width:2;stroke-linejoin:round}svg "
	".ref{stroke:var(--soft);stroke-width:1;stroke-dasharray:4 4;fill:none}"
	"svg circle.a{fill:var(--a);stroke:var(--card)}svg circle.b{fill:var(--b);stroke:var(--card)}"
	".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:0 0 "
	".4rem;padding:0;list-style:none;"
	"font-size:.85rem;color:var(--soft)}.legend i{display:inline-block;width:.85rem;height:.85rem;"
	"border-radius:.25rem;margin-right:.4rem;vertical-align:-.1rem}"
	".row{padding:.9rem 0;border-top:1px solid var(--grid)}.row:first-of-type{border-top:0}"
	".row p{margin:0}.s{font-size:1.05rem;line-height:1.75;overflow-wrap:anywhere;"
	"unicode-bidi:isolate}.s .w{border-radius:.25rem;padding:.1rem .12rem}"
	".s .h,.s .t{border-bottom:2px solid var(--ink);border-radius:.25rem .25rem 0 0}"
	".s sub{font-size:.62rem;color:var(--soft);padding-left:.1rem}"
	".verdict{font-size:.88rem;color:var(--soft);margin-top:.25rem!important}"
	".verdict b{color:var(--ink);font-weight:600;overflow-wrap:anywhere}"
	".photos{display:grid;gap:1.5rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),"
	"1fr))}"
	".photo .two{display:grid;grid-template-columns:1fr 1fr;gap:.4rem}"
	".photo img{width:100%;height:auto;display:block;border-radius:.4rem;background:#fff}"
	".photo p{margin:.5rem 0 0}.photo .s{font-size:.98rem;line-height:1.6}"
	".right,.wrong{display:inline-block;font-size:.75rem;font-weight:600;padding:.05rem .5rem;"
	"border-radius:1rem;margin-right:.4rem}.right{background:rgba(var(--a-rgb),.16);color:var(--a)}"
	".wrong{background:rgba(var(--b-rgb),.16);color:var(--b)}"
	"pre,code{font:.85rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',"
	"monospace}pre{margin:.25rem 0;padding:.75rem;background:var(--mark);border-radius:.5rem;"
	"white-space:pre-wrap;overflow-wrap:anywhere}"
	"code{overflow-wrap:anywhere}dl{display:grid;gap:.3rem 1.2rem;margin:0;font-size:.92rem;"
	"grid-template-columns:minmax(7rem,max-content) 1fr}dt{color:var(--soft)}"
	"dd{margin:0;overflow-wrap:anywhere;unicode-bidi:isolate}.none{color:var(--soft)}"
	"nav{margin-top:1rem;display:flex;flex-wrap:wrap;gap:.3rem 1rem;font-size:.92rem}"
	"nav a{color:var(--a);text-decoration:none}nav a:hover{text-decoration:underline}"
	"@media(max-width:34rem){main{padding:1.25rem .75rem 3rem}section{padding:1rem .85rem}"
	"h1{font-size:1.6rem}main .bar{display:none}table{font-size:.85rem}"
	"th,td{padding-right:.3rem}.wide .n{padding-left:.3rem}tbody th{min-width:4.5rem}"
	"svg:not(.drawing){font-size:17px}"
	".runs thead{display:none}.runs .n{width:auto}.runs tr{display:block;padding:.4rem "
	"0;border-bottom:1px solid "
	"var(--grid)}.runs td{display:inline-block;border:0;padding:0 .8rem 0 0!important}.runs "
	"td:empty"
	"{display:none}.runs td:nth-child(3):before{content:'version '}"
	".runs td:nth-child(4):before{content:'rows '}.tiles{grid-template-columns:1fr 1fr}"
	".tile b{font-size:1.4rem}dl{grid-template-columns:1fr}dt{margin-top:.4rem}}"
	"@media print{section,.tile{break-inside:avoid}}";

/*
 * Text
 */

/* C1 controls would be read as characters of another encoding, and noncharacters are errors. */
static uint32
shown(uint32 code)
{
	if (code == '\n' || code == '\r' || code == '\t')
		return ' ';
	if (code < ' ' || (code >= 0x7F && code < 0xA0))
		return REPLACEMENT;
	if ((code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF))
		return REPLACEMENT;
	return code;
}

static void
append_code(StringInfo page, uint32 code)
{
	code = shown(code);
	if (code >= 0x80)
		appendStringInfo(page, "&#x%X;", code);
	else if (strchr("<>&\"'", (int) code) != NULL)
		appendStringInfo(page, "&#%u;", code);
	else
		appendStringInfoChar(page, (char) code);
}

/* At most max characters; true if there were more. */
static bool
append_text(StringInfo page, MrenTextSpan text, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; n++)
	{
		uint32 code;
		size_t len;

		if (n == max)
			return true;
		len = mren_utf8_decode(text.data + i, text.len - i, &code);
		append_code(page, len > 0 ? code : REPLACEMENT);
		i += Max(len, 1);
	}
	return false;
}

void
mren_html_utf8(StringInfo page, MrenTextSpan text)
{
	append_text(page, text, SIZE_MAX);
}

void
mren_html_text(StringInfo page, const char *text)
{
	mren_html_utf8(page, mren_pg_utf8(text, strlen(text)));
}

void
mren_html_brief(StringInfo page, const char *text, int max)
{
	if (append_text(page, mren_pg_utf8(text, strlen(text)), max))
		appendStringInfoString(page, "&#x2026;");
}

void
mren_html_count(StringInfo page, uint64 n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), UINT64_FORMAT, n);

	for (int i = 0; i < len; i++)
	{
		if (i > 0 && (len - i) % 3 == 0)
			appendStringInfoChar(page, ',');
		appendStringInfoChar(page, digits[i]);
	}
}

void
mren_html_png(StringInfo page, const bytea *png)
{
	int len = (int) VARSIZE_ANY_EXHDR(png);
	int size = pg_b64_enc_len(len) + 1;
	int written;

	appendStringInfoString(page, "data:image/png;base64,");
	enlargeStringInfo(page, size);
	written = pg_b64_encode((void *) VARDATA_ANY(png), len, page->data + page->len, size);
	if (written < 0)
		elog(ERROR, "could not encode an image");
	page->len += written;
	page->data[page->len] = '\0';
}

/*
 * The frame
 */

void
mren_page_begin(StringInfo page, const char *kind, const char *name)
{
	appendStringInfoString(page,
						   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
						   "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
						   "content=\"width=device-width, initial-scale=1\"/>\n"
						   "<meta http-equiv=\"Content-Security-Policy\" "
						   "content=\"default-src 'none'; style-src 'unsafe-inline'; "
						   "img-src data:\"/>\n<link rel=\"icon\" href=\"data:,\"/>\n<title>");
	mren_html_text(page, name);
	appendStringInfo(page, " &#xB7; %s</title>\n<style>%s%s%s</style>\n</head>\n<body>\n<main>\n",
					 kind, mren_page_colors, mren_page_drawing, style);
	appendStringInfo(page, "<header>\n<p class=\"kind\">%s</p>\n<h1>", kind);
	mren_html_text(page, name);
	appendStringInfoString(page, "</h1>\n");
}

void
mren_page_end(StringInfo page)
{
	appendStringInfoString(page, "</main>\n</body>\n</html>\n");
}

void
mren_section_begin(StringInfo page, const char *id, const char *title, const char *lead)
{
	appendStringInfo(page, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
	if (lead != NULL)
		appendStringInfo(page, "<p>%s</p>\n", lead);
}

void
mren_section_end(StringInfo page)
{
	appendStringInfoString(page, "</section>\n");
}

void
mren_tiles_begin(StringInfo page)
{
	appendStringInfoString(page, "<div class=\"tiles\">\n");
}

void
mren_tile(StringInfo page, const char *label, const char *value, const char *note)
{
	appendStringInfo(page, "<div class=\"tile\"><span>%s</span><b>%s</b><span>%s</span></div>\n",
					 label, value, note);
}

void
mren_tiles_end(StringInfo page)
{
	appendStringInfoString(page, "</div>\n");
}
