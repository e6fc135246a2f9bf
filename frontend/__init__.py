"""What browsers get: templates, styles, modules, texts. No build step."""
