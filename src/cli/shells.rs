//! Completion scripts that ask `sockstat completions --values` at each TAB.

/// For bash.
pub(super) const BASH: &str = r#"_sockstat() {
    local line=${COMP_LINE:0:COMP_POINT} words value help
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    # Readline replaces only what follows the last ':' or '='.
    local current=${words[-1]}
    local kept=${current%"${current##*[:=]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r value help; do
        COMPREPLY+=("${value#"$kept"}")
    done < <(sockstat completions --values -- "${words[@]}" 2>/dev/null)
}

complete -o default -F _sockstat sockstat
"#;

/// For zsh.
pub(super) const ZSH: &str = r#"#compdef sockstat

_sockstat() {
    local -a found
    local value help
    while IFS=$'\t' read -r value help; do
        found+=("${value//:/\\:}${help:+:$help}")
    done < <(sockstat completions --values -- "${(@)words[1,CURRENT-1]}" "$PREFIX" 2>/dev/null)
    if (( $#found )); then
        _describe -V sockstat found
    else
        _files
    fi
}

if [ "$funcstack[1]" = "_sockstat" ]; then
    _sockstat "$@"
else
    compdef _sockstat sockstat
fi
"#;

/// For fish.
pub(super) const FISH: &str = r#"function __sockstat_values
    set -l current (commandline -ct)
    sockstat completions --values -- (commandline -opc) "$current" 2>/dev/null
    or __fish_complete_path "$current"
end

complete -c sockstat -f -k -a '(__sockstat_values)'
"#;

/// For elvish.
pub(super) const ELVISH: &str = r#"use str

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
"#;
