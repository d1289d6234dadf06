#compdef distlab
# Completion of distlab for zsh. In ~/.zshrc, after compinit: eval "$(distlab completion zsh)"
_distlab() {
    local line="${(j: :)words[1,CURRENT-1]} $PREFIX"
    local -a found whole part
    found=("${(@f)$("${words[1]/#\~/$HOME}" completion zsh --line "$line" 2>/dev/null)}")
    # What ends in a blank is whole; the others go on, as KEY= and FOLDER/ do.
    part=(${found:#* })
    whole=(${${(M)found:#* }% })
    compadd -Q -S '' -a part
    compadd -Q -a whole
}
if [[ $funcstack[1] == _distlab ]]; then
    _distlab "$@"
else
    compdef _distlab distlab
fi
