use str

set edit:completion:arg-completer[sockstat] = {|@words|
    var lines = [(try {
        e:sockstat completions --values -- $@words 2>/dev/null | from-lines
    } catch {
        nop
    })]
    if (== 0 (count $lines)) {
        edit:complete-filename $words[-1]
    }
    for line $lines {
        var value help = (str:split &max=2 "\t" $line)
        if (eq $help '') {
            edit:complex-candidate $value
        } else {
            edit:complex-candidate $value &display=$value'  '$help
        }
    }
}
