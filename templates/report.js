/* What the report does in a browser. Without it all text and tables can be read; the first figure stands as a picture,
   the others show their alternatives.
   The files of templates/report/ follow this one in one inline script; the last, page.js, starts it all.

   What other files, and tests, may rely on in the page:

   Arrays     #figure-data is a JSON array of the lists that figures and tables share; {"pooled": k} in a figure's
              [data-spec] block or a table's `<id>-rows` block stands for its k-th list.
   Figures    div.plot[data-spec] has the class js-plotly-plot once it is drawn: near the viewport first, the others
              when the browser is idle, all before printing. A trace's meta.groups has a group position per point.
              Until it is drawn, the first one holds div.still, the same picture without a script.
   Groups     A group is a position, 0 … J−1. [data-group] marks panels and table rows of one group. A click on one, on
              a point of a figure, on button.group-name (also Enter, Space) or an option of #group-picker chooses
              the group: every [data-group] of it gets the class is-selected and aria-current, its buttons aria-pressed,
              its points stay while others fade. document.documentElement.dataset.selectedGroup is its position,
              absent when none is chosen; the address ends in #group=LABEL; #announcer says so. #group-clear and
              Escape end it. On each change `document` dispatches "groupselected", detail {group: position or null}.
   Tables     table[data-table] sits in figure.table-frame. th[aria-sort] > button.sort sorts; missing values are last
              in both directions. Tables of more than 10 rows have input.table-search and output.table-count; all have
              button.table-csv, which downloads all rows. Tables of many groups have nav.table-page with the buttons
              .previous and .next; their tbody holds the rows of one page.
   Words      button.term[popovertarget] opens [popover].meaning.
   Panels     .panels.fewer hides those of class further, but for the chosen group's; button.all shows them.
   Animation  .stages[data-animates] in the key of panels: a button Play, a slider, an output. In each panel a trace with
              meta.isMoving goes from line to line of the traces with meta.model.
   Length     button.longer draws a figure with all its rows, and back.
   Speed      performance mark "poolwise-interactive": tables sort, the picker answers, and the figures of the first
              screen are drawn. */
"use strict";
const poolwise = {};
