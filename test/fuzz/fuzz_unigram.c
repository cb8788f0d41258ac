/*
 * fuzz_unigram.c
 *	  Any bytes as a text for a Unigram tokenizer, or as a tokenizer.json and a text.
 */
#include "fuzz_tokenizer.h"

static const char own[] =
	"{'normalizer':{'type':'Sequence','normalizers':[{'type':'Strip'},{'type':'NFKC'},"
	"{'type':'Replace','pattern':{'Regex':' {2,}'},'content':' '}]},"
	"'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'Punctuation'},"
	"{'type':'Metaspace','replacement':'\\u2581','prepend_scheme':'first'}]},"
	"'post_processor':{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'<s>'}},"
	"{'Sequence':{'id':'A'}}],'special_tokens':{'<s>':{'ids':[0]}}},"
	"'model':{'type':'Unigram','unk_id':0,'byte_fallback':true,'vocab':[['<unk>',0],['a',-1],"
	"['b',-1],['ab',-2],['\\u2581',-1],['\\u2581a',-1.5],['<0xC3>',-3],['<0xA9>',-3],['c',-9],"
	"['c',-2],['abb',-3],['\\u00e9',-4]]}}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_tokenizer(data, size, own);
	return 0;
}
