"""What the command line does with statements, found by it through the entry points `tabular_inversion.commands`."""
