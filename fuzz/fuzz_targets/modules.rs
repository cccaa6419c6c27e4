//! `modules.json`, `sentence_bert_config.json`, `1_Pooling/config.json` and
//! `config_sentence_transformers.json` of a tiny BERT. A zero byte ends each but the last.

#![no_main]

use burn::tensor::Device;
use burn_embedding_fuzz::{BERT, Model, files};
use burn_embedding_models::SentenceTransformer;
use libfuzzer_sys::fuzz_target;

std::thread_local! {
    static MODEL: Model = Model::new(&BERT);
}

fuzz_target!(|input: &[u8]| {
    let [modules, transformer, pooling, settings] = files(input);
    MODEL.with(|model| {
        model.write("modules.json", modules);
        model.write("sentence_bert_config.json", transformer);
        model.write("1_Pooling/config.json", pooling);
        model.write("config_sentence_transformers.json", settings);
        let Ok(model) = SentenceTransformer::open(model.path(), &Device::flex()) else { return };
        if let Ok(embeddings) = model.encode(&["The cat sits.", ""]) {
            assert_eq!(embeddings.dims(), [2, model.dimension()]);
        }
    });
});
