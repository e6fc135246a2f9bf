// Every page on paper loads this: questions before grave buttons, dialogs, filters that submit themselves, copying, busy buttons,
// rows of tabs.
// Rule: enhancement only. Without it each form still posts and each link still leads.

import { enhanceConfirm } from "./confirm.js";
import { enhanceCopy } from "./copy.js";
import { enhanceDialogs } from "./dialog.js";
import { enhanceForms } from "./forms.js";
import { enhanceNotices } from "./notices.js";
import { enhancePickers } from "./picker.js";
import { enhanceTables } from "./table.js";
import { enhanceTabs } from "./tabs.js";

enhanceConfirm(document);
enhanceCopy(document);
enhanceDialogs(document);
enhanceForms(document);
enhanceNotices(document);
enhancePickers(document);
enhanceTables(document);
enhanceTabs(document);
