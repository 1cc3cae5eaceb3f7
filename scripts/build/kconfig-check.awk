# Usage: KCONFIG_SOURCE=tree awk -f kconfig-check.awk .config FRAGMENT...
# Compares what the fragments ask for with what Kconfig made of it. For each difference: where it was asked, what was asked, what came out,
# and what the option depends on, with the values that these symbols have. Exit status 1 if there is a difference.
# Limit: the dependencies shown are those in the option's own file (its own, and the "if" and "menu" blocks around it), not of files that include it.

function value(symbol) { return symbol in got ? got[symbol] : "n" }

# Sets symbol and asked from a line of a configuration; false if it is no setting.
function parse(line) {
	if (match(line, /^# CONFIG_[A-Za-z0-9_]+ is not set$/)) {
		symbol = substr(line, 10, length(line) - 9 - 11)
		asked = "n"
		return 1
	}
	if (match(line, /^CONFIG_[A-Za-z0-9_]+=/)) {
		symbol = substr(line, 8, RLENGTH - 8)
		asked = substr(line, RLENGTH + 1)
		return 1
	}
	return 0
}

# An expression, with the value of each symbol that stands in the way of it: "PCI && HAS_DMA(=n)".
function explain(expression,    out, word, v) {
	out = ""
	while (match(expression, /[A-Za-z0-9_]+/)) {
		word = substr(expression, RSTART, RLENGTH)
		out = out substr(expression, 1, RSTART - 1) word
		expression = substr(expression, RSTART + RLENGTH)
		v = value(word)
		if (word ~ /^[A-Z0-9_]+$/ && word !~ /^[0-9]+$/ && v != "y")
			out = out "(=" v ")"
	}
	return out expression
}

# Prints what the symbol depends on, from the file that defines it.
function dependencies(symbol,    command, file, line, depth, stack, kind, in_it, help, attribute, own, found, i, shown) {
	command = "cd '" ENVIRON["KCONFIG_SOURCE"] "' && grep -rlE --include='Kconfig*' --include=Config.in '^[ \t]*(menu)?config " symbol "[ \t]*$' . | LC_ALL=C sort"
	found = 0
	while ((command | getline file) > 0) {
		file = substr(file, 3)
		# Another architecture's option of the same name
		if (file ~ /^arch\/[^\/]+\// && index(file, "arch/" ENVIRON["TARGET_KERNEL_ARCH"] "/") != 1) continue
		depth = 0; in_it = 0; help = 0; shown = ""
		while ((getline line < (ENVIRON["KCONFIG_SOURCE"] "/" file)) > 0) {
			# Blocks stand at the left margin, attributes one step to the right; help text, further to the right, is skipped.
			attribute = line ~ /^[ \t]/
			if (attribute) {
				if (help) continue
				sub(/^[ \t]+/, "", line)
				if (line ~ /^(help|---help---)$/) { help = 1; continue }
			} else if (line != "") help = 0
			if (!attribute && line ~ /^(menuconfig|config|comment|source|choice|endchoice|endmenu|endif|menu|if)([ \t]|$)/) {
				if (in_it) { shown = shown own; in_it = 0; found = 1 }
				kind = ""
				if (line ~ /^(end(if|menu|choice))/) depth--
				else if (line ~ /^if[ \t]/) { stack[++depth] = "if " explain(substr(line, 4)) }
				else if (line ~ /^(menu|choice)([ \t]|$)/) { stack[++depth] = ""; kind = "block" }
				else if (line ~ "^(menu)?config[ \t]+" symbol "[ \t]*$") {
					in_it = 1; kind = "it"
					own = "    in " file
					for (i = 1; i <= depth; i++) if (stack[i] != "") own = own "\n      " stack[i]
					own = own "\n"
				}
			} else if (line ~ /^depends on /) {
				if (kind == "block") stack[depth] = stack[depth] (stack[depth] == "" ? "" : ", ") "depends on " explain(substr(line, 12))
				else if (in_it) own = own "      depends on " explain(substr(line, 12)) "\n"
			} else if (in_it && line ~ /^(bool|tristate|prompt|int|hex|string)([ \t]|$)/ && line !~ /"/)
				own = own "      cannot be asked for: it has no prompt, others select it or it follows from them\n"
			else if (in_it && line ~ /^(bool|tristate|prompt|int|hex|string)[ \t].*" if /) {
				sub(/^.*" if /, "", line)
				own = own "      can be asked for only if " explain(line) "\n"
			}
		}
		if (in_it) { shown = shown own; found = 1 }
		close(ENVIRON["KCONFIG_SOURCE"] "/" file)
		printf "%s", shown
	}
	close(command)
	if (!found) print "    no Kconfig file defines it: a typing error, or another version's name"
}

# Prints what makes the symbol y although it was not wanted.
function selectors(symbol,    command, line, config, list) {
	command = "cd '" ENVIRON["KCONFIG_SOURCE"] "' && grep -rhE --include='Kconfig*' --include=Config.in '^(menu)?config |^[ \t]+select " symbol "([ \t]|$)' . "
	while ((command | getline line) > 0)
		if (line ~ /^(menu)?config /) { config = line; sub(/^(menu)?config[ \t]+/, "", config) }
		else if (value(config) != "n" && index(list " ", " " config " ") == 0) list = list " " config
	close(command)
	if (list != "") print "    selected by" list
}

FILENAME == ARGV[1] { if (parse($0)) got[symbol] = asked; next }

/^[ \t]*(#.*)?$/ && !/^[ \t]*#[ \t]*CONFIG_[A-Za-z0-9_]+ is not set/ { next }

{
	if (!parse($0)) {
		printf "%s:%d: neither a setting nor a comment: %s\n", FILENAME, FNR, $0
		bad++
		next
	}
	if (!(symbol in want)) order[++count] = symbol
	want[symbol] = asked
	place[symbol] = FILENAME ":" FNR
}

END {
	for (i = 1; i <= count; i++) {
		symbol = order[i]
		# A symbol that is not in .config is n; an empty string means the same.
		if (want[symbol] == value(symbol) || (want[symbol] == "\"\"" && !(symbol in got))) continue
		printf "%s: CONFIG_%s=%s was asked for, %s came out\n", place[symbol], symbol, want[symbol], symbol in got ? got[symbol] : "nothing"
		if (want[symbol] == "n") selectors(symbol); else dependencies(symbol)
		bad++
	}
	if (bad) printf "%d of %d options are not what the fragments ask for\n", bad, count
	exit bad > 0
}
