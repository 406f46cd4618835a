// SPDX-License-Identifier: Apache-2.0
/*
 * The files of the status page as they are, for page.c to serve.
 */
	.macro file symbol, path
	.global \symbol, \symbol\()_end
\symbol:
	.incbin "\path"
\symbol\()_end:
	.byte 0
	.endm

	.section .rodata
	file page_index_html, "index.html"
	file page_style_css, "style.css"
	file page_script_js, "script.js"
	file page_icon_svg, "icon.svg"

	.section .note.GNU-stack, "", %progbits
